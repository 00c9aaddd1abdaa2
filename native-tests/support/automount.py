"""Stands in for systemd's automount units: automount.py DIRECTORY COMMAND...

Mounts an autofs trap on DIRECTORY, prints "waiting", and at the first use runs COMMAND in its own process group, as systemd runs
mount(8). Layout of struct autofs_v5_packet and numbers of the ioctls: linux/auto_fs.h. Ends when its input ends or it is killed.
"""
import ctypes
import fcntl
import os
import struct
import subprocess
import sys

PACKET_BYTES = 304
AUTOFS_IOC_READY, AUTOFS_IOC_FAIL = 0x9360, 0x9361

directory, command = sys.argv[1], sys.argv[2:]
libc = ctypes.CDLL(None, use_errno=True)
reader, writer = os.pipe()
os.setpgid(0, 0)
options = f"fd={writer},pgrp={os.getpgrp()},minproto=5,maxproto=5,direct"
if libc.mount(b"automount", directory.encode(), b"autofs", 0, options.encode()) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
trap = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
os.close(writer)
print("waiting", flush=True)
while packet := os.read(reader, PACKET_BYTES):
    _, _, token = struct.unpack_from("iiI", packet)
    done = subprocess.run(command, timeout=60, check=False)
    fcntl.ioctl(trap, AUTOFS_IOC_READY if done.returncode == 0 else AUTOFS_IOC_FAIL, token)
