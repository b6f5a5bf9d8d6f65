#!/usr/bin/env python3
"""Packs a folder so that the same files make the same archive to the byte: archive.py FOLDER ARCHIVE.tar.gz|ARCHIVE.zip

Files stand in the order of their names, belong to nobody, and have the time $SOURCE_DATE_EPOCH; what may be executed
keeps that, all else is readable.
"""

import gzip
import os
import stat
import sys
import tarfile
import time
import zipfile

folder, archive = sys.argv[1:]
# What a zip can say: from 1980, in steps of two seconds.
moment = max(int(os.environ["SOURCE_DATE_EPOCH"]) // 2 * 2, 315532800)
top = os.path.basename(os.path.normpath(folder))


def files():
    """Each file: where it is, its name in the archive, its mode."""
    found = []
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            inside = os.path.join(top, os.path.relpath(path, folder)).replace(os.sep, "/")
            runs = os.stat(path).st_mode & stat.S_IXUSR
            found.append((inside, path, 0o755 if runs else 0o644))
    return sorted(found)


def pack_tar(out):
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0) as packed:
        with tarfile.open(mode="w", fileobj=packed, format=tarfile.USTAR_FORMAT) as tar:
            for inside, path, mode in files():
                entry = tarfile.TarInfo(inside)
                entry.size, entry.mode, entry.mtime = os.path.getsize(path), mode, moment
                with open(path, "rb") as content:
                    tar.addfile(entry, content)


def pack_zip(out):
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for inside, path, mode in files():
            entry = zipfile.ZipInfo(inside, time.gmtime(moment)[:6])
            # As Unix makes it, wherever this runs: with modes.
            entry.create_system, entry.external_attr = 3, (stat.S_IFREG | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            with open(path, "rb") as content:
                packed.writestr(entry, content.read())


with open(archive, "wb") as out:
    (pack_zip if archive.endswith(".zip") else pack_tar)(out)
