"""
The exchange's pushes: early where reads are right.

`protocol`, `talk` and `book` are pure. `connection` is the seam to aiohttp, `line` keeps one connection up, `pool`
spreads topics over lines, `subscription` is what a reader holds, and `streams` is `client.stream`.
"""
