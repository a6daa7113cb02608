#!/bin/sh
# backup.sh -- a backup that finds its disk full.
echo "copying 3 files"
echo "cp: error writing '/backup/b.sql': No space left on device" >&2
exit 1
