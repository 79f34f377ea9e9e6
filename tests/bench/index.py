"""A small package index with cache headers.

index.py FOLDER LOG NAME=BYTES...: makes a wheel of each name with so many bytes in it, prints the port on which it serves them, and
appends `sent PATH BYTES` to LOG before each answer. Ends when its standard input does.
"""

import http.server
import os
import sys
import threading
import zipfile

folder, log, *packages = sys.argv[1:]


def make_wheel(name, size):
    path = os.path.join(folder, f"{name}-1.0-py3-none-any.whl")
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}/__init__.py": b"",
        f"{name}/data": os.urandom(size),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: index\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},,\n" for file in files) + f"{info}/RECORD,,\n"
    with zipfile.ZipFile(path, "w") as wheel:
        for file, content in {**files, f"{info}/RECORD": record.encode()}.items():
            wheel.writestr(file, content)


class Index(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        parts = [part for part in self.path.split("/") if part]
        if len(parts) == 2 and parts[0] == "simple":
            wheel = f"{parts[1]}-1.0-py3-none-any.whl"
            body = f'<!DOCTYPE html><a href="/wheels/{wheel}">{wheel}</a>'.encode()
            kind, age = "text/html", 600
        elif len(parts) == 2 and parts[0] == "wheels":
            with open(os.path.join(folder, os.path.basename(parts[1])), "rb") as wheel:
                body = wheel.read()
            kind, age = "application/octet-stream", 31536000
        else:
            self.send_error(404)
            return
        with open(log, "a") as lines:
            lines.write(f"sent {self.path} {len(body)}\n")
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", f"max-age={age}, public, immutable")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


for package in packages:
    name, size = package.split("=")
    make_wheel(name, int(size))
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
