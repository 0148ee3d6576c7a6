"""From the Instagram queue to Instagram. Owns posts after their pictures are made; refuses pixels and the inbox.

The queue is a folder that its owner may edit by hand. One process of its own (`vitrine publish`) has network and secrets.
"""
