"""Mutation testing of the pure rooms: would their own tests notice if a line said something else?"""
