"""Holds packets of netfilter's queue 0, and accepts them in the order in which they came.

    hold.py COUNT SECONDS

They are accepted when COUNT packets are held, or when the first of them has waited for SECONDS. Each held packet is a
line of the output. Source: Linux, include/uapi/linux/netfilter/nfnetlink_queue.h
"""

import os
import select
import socket
import struct
import sys
import time

NETLINK_NETFILTER = 12
NLM_F_REQUEST, NLM_F_ACK = 1, 4
QUEUE = 0
PACKET, VERDICT, CONFIG = (3 << 8 | message for message in (0, 1, 2))
CONFIG_COMMAND, CONFIG_PARAMETERS = 1, 2
BIND, COPY_META = 1, 1
PACKET_HEADER, VERDICT_HEADER = 1, 2
ACCEPT = 1
# struct nlmsghdr, struct nfgenmsg
HEADER, GENERAL = struct.Struct("=IHHII"), struct.Struct("!BBH")


def attribute(kind, value):
    padding = b"\0" * (-len(value) % 4)
    return struct.pack("=HH", 4 + len(value), kind) + value + padding


def message(kind, flags, body):
    body = GENERAL.pack(socket.AF_UNSPEC, 0, QUEUE) + body
    return HEADER.pack(HEADER.size + len(body), kind, flags, 0, 0) + body


def configure(queue, body):
    queue.send(message(CONFIG, NLM_F_REQUEST | NLM_F_ACK, body))
    error = struct.unpack_from("=i", queue.recv(65536), HEADER.size)[0]
    if error:
        sys.exit(f"queue {QUEUE} cannot be had: {os.strerror(-error)}")


def packets(data):
    """The numbers of the packets in what the kernel sent."""
    start = 0
    while start < len(data):
        length, kind = struct.unpack_from("=IH", data, start)
        place = start + HEADER.size + GENERAL.size
        while kind == PACKET and place < start + length:
            size, name = struct.unpack_from("=HH", data, place)
            if name == PACKET_HEADER:
                yield struct.unpack_from("!I", data, place + 4)[0]
            place += size + -size % 4
        start += length + -length % 4


def main(count, seconds):
    queue = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    queue.bind((0, 0))
    configure(queue, attribute(CONFIG_COMMAND, struct.pack("!BxH", BIND, socket.AF_UNSPEC)))
    configure(queue, attribute(CONFIG_PARAMETERS, struct.pack("!IB", 0, COPY_META)))
    print("ready", flush=True)
    held, until = [], None
    while True:
        timeout = None if until is None else max(0, until - time.monotonic())
        if select.select([queue], [], [], timeout)[0]:
            for number in packets(queue.recv(65536)):
                held.append(number)
                print(f"holds packet {number}", flush=True)
            if until is None:
                until = time.monotonic() + seconds
        if len(held) >= count or (until is not None and until <= time.monotonic()):
            print(f"accepts {len(held)}", flush=True)
            for number in held:
                verdict = attribute(VERDICT_HEADER, struct.pack("!II", ACCEPT, number))
                queue.send(message(VERDICT, NLM_F_REQUEST, verdict))
            held, until = [], None


main(int(sys.argv[1]), float(sys.argv[2]))
