"""A service manager's notify socket: prints each datagram as a line of JSON, with its sender (pid) and what is mounted then.

Usage: notify-socket.py SOCKET MOUNTPOINT. SOCKET begins with @ for a name of the abstract namespace. Prints "bound" first.
"""
import json
import socket
import struct
import sys

name, mountpoint = sys.argv[1], sys.argv[2]
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
receiver.bind("\0" + name[1:] if name.startswith("@") else name)
print("bound", flush=True)
while True:
    data, ancillary, _, _ = receiver.recvmsg(4096, socket.CMSG_SPACE(12))
    pid = next((struct.unpack("iII", part)[0] for _, kind, part in ancillary if kind == socket.SCM_CREDENTIALS), None)
    with open("/proc/self/mountinfo", encoding="utf-8") as table:
        mounted = any(line.split(" ")[4] == mountpoint for line in table)
    print(json.dumps({"lines": data.decode().split("\n"), "pid": pid, "mounted": mounted}), flush=True)
