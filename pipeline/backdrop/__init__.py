"""Sets for the piece to stand on: path-traced plates and five procedural materials behind one Protocol. Refuses the piece itself."""
