"""The tracker's mind, against an exchange of a few lines."""
