"""Files by name: on this machine, in an object store, on a web server, inside a tar archive."""

from offhand.files.writing import (
    remove_folder,
    replacing,
    replacing_folder,
    write_bytes,
    write_text,
)

__all__ = ["remove_folder", "replacing", "replacing_folder", "write_bytes", "write_text"]
