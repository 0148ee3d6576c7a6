"""Sets for the piece to stand on: five procedural materials behind one Protocol. Refuses the piece itself."""
