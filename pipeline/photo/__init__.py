"""From a file to an upright sRGB photo, and crops of it. Refuses recipes, cut-outs and looks.

`sniff` and `endmark` use the standard library only: the supervising process imports them.
"""
