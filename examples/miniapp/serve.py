"""serve.py -- the page with its DSN filled in, and nabat.js beside it. Use the key of a project of its own in earnest."""
import http.server
import os
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
TRACKER = HERE.parents[1] / "clients/js/nabat.js"


class Page(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        name = self.path.split("?")[0]
        if name == "/nabat.js":
            body, kind = TRACKER.read_bytes(), "text/javascript"
        elif name == "/":
            text = (HERE / "index.html").read_text()
            text = text.replace("{{DSN}}", os.environ["NABAT_DSN"]).replace("{{RELEASE}}", os.environ.get("RELEASE") or "1.0")
            body, kind = text.encode(), "text/html; charset=utf-8"
        else:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    port = int(os.environ.get("PORT", "8000"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Page)
    print(f"open http://127.0.0.1:{port}/ and press Pay; Ctrl-C ends it", flush=True)
    server.serve_forever()
