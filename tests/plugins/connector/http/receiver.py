#!/usr/bin/env python3
"""Takes posts on loopback: receiver.py FOLDER [PORT [CERTIFICATE]].

Writes its port to FOLDER/port. Each post is a line of FOLDER/log: its key, attempt, type and body, as
JSON. FOLDER/answer, when it is there, holds the status to answer, and nothing is taken unless it
begins with 2; "lose": the post is taken and the answer lost. FOLDER/refused is there once one was not
taken.
"""
import http.server
import json
import os
import ssl
import sys

FOLDER = sys.argv[1]


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            with open(os.path.join(FOLDER, "answer"), encoding="ascii") as file:
                answer = file.read().strip()
        except FileNotFoundError:
            answer = "200"
        if answer == "lose" or answer.startswith("2"):
            with open(os.path.join(FOLDER, "log"), "a", encoding="ascii") as log:
                log.write(json.dumps({"key": self.headers["Idempotency-Key"],
                                      "attempt": int(self.headers["Stoq-Attempt"]),
                                      "type": self.headers["Content-Type"],
                                      "token": self.headers["X-Token"],
                                      "lines": body.decode("utf-8")}) + "\n")
        if answer == "lose":
            os.remove(os.path.join(FOLDER, "answer"))
            return
        if not answer.startswith("2"):
            with open(os.path.join(FOLDER, "refused"), "w", encoding="ascii"):
                pass
        self.send_response(int(answer))
        self.end_headers()
        self.wfile.write(b"as told")

    def log_message(self, *_):
        pass


def listen(port):
    """On that port; on 0: on one below those that the kernel gives to whoever asks for any, so that nobody
    has it when this is started again."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        count = int(file.read().split()[0]) - 1024
    for i in range(count if port == 0 else 0):
        try:
            return http.server.HTTPServer(("127.0.0.1", 1024 + (os.getpid() + i) % count), Receiver)
        except OSError:
            continue
    return http.server.HTTPServer(("127.0.0.1", port), Receiver)


server = listen(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
if len(sys.argv) > 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3])
    server.socket = context.wrap_socket(server.socket, server_side=True)
with open(os.path.join(FOLDER, "port.part"), "w", encoding="ascii") as port:
    port.write(str(server.server_port))
os.rename(os.path.join(FOLDER, "port.part"), os.path.join(FOLDER, "port"))
server.serve_forever()
