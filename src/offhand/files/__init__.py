"""Files by name: on this machine, in an object store, on a web server, inside a tar archive."""

from offhand.files.writing import replacing, write_bytes, write_text

__all__ = ["replacing", "write_bytes", "write_text"]
