"""Sources: reads the sources of algorithms. A spec goes in, a tree with its pins comes out.

`code` reads the places that code can come from. `managed_files` has the rules about which files belong to a source.
"""
