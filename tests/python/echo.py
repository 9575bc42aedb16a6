"""A model's provider that gives back what it was given last, so that texts come back whole and answers come at once."""

import http.server
import json
import threading


class Provider(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        text = asked["messages"][-1].get("content") or ""
        if not isinstance(text, str):
            text = "".join(part.get("text", "") for part in text)
        chunks = [
            {"choices": [{"index": 0, "delta": {"content": text or "Nothing."}, "finish_reason": None}]},
            {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        ]
        told = "".join(f"data: {json.dumps({'id': 'echo', 'object': 'chat.completion.chunk', **chunk})}\n\n" for chunk in chunks)
        body = (told + "data: [DONE]\n\n").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Echo:
    """The provider for one run; `settings` lead a gateway to it."""

    def __enter__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.settings = {
            "OPENAI_BASE_URL": f"http://127.0.0.1:{self.server.server_port}/v1",
            "OPENAI_API_KEY": "sk-none",
            "OPENAI_MODEL": "echo",
        }
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
