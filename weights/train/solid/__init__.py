"""The network that reads shape off an outline: its data, layers, training and file. Needs no pictures, so it is made apart from the other."""
