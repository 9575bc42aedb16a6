"""The reference's server behind HTTP, playing scripts, to be compared with ours.

    python reference.py --port N [--attachments on|off] [--transcriber on|off] [--on-disconnect finish|cancel]

It prints one line when it listens. `POST /chatkit` is the protocol as the reference's own documentation wires it. What
that wiring hides is told beside it: an exception before an answer is the text of the 500; before a stream is cut, and
when a hook did not come to its end, the stream's last line is a comment that says so. `GET` and `PUT /items/THREAD`
read and set all that is stored in a thread, `GET /attachments/ID` says whether there is such an attachment.
"""

import argparse
import asyncio
import contextlib
import json

import uvicorn
from chatkit.server import StreamingResult
from pydantic import TypeAdapter

from interpreter import Scripted
from memory import Memory, Uploads, Visit
from reading import ThreadItem, open_widgets, written

ITEMS_STORED = TypeAdapter(list[ThreadItem])
JSON, TEXT, EVENTS = b"application/json", b"text/plain", b"text/event-stream; charset=utf-8"


class Door:
    """The ASGI application."""

    def __init__(self, server, finish):
        self.server, self.finish = server, finish
        # Runs whose reader went away.
        self.running = set()

    async def __call__(self, scope, receive, send):
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        path, method = scope["path"], scope["method"]
        if path.startswith("/items/"):
            await self.items(path.removeprefix("/items/"), method, body, send)
        elif path.startswith("/attachments/"):
            known = path.removeprefix("/attachments/") in self.server.store.attachments
            await whole(send, 200 if known else 404, JSON, b"{}")
        elif method != "POST":
            await whole(send, 405, TEXT, b"Method Not Allowed")
        else:
            headers = dict(scope["headers"])
            await self.chatkit(Visit(whole_widgets=b"whole-widgets" in headers), body, receive, send)

    async def items(self, thread_id, method, body, send):
        items = self.server.store.items.get(thread_id, {})
        if method == "PUT":
            stored = ITEMS_STORED.validate_python(open_widgets(json.loads(body)))
            items.clear()
            items.update({item.id: item for item in stored})
        await whole(send, 200, JSON, json.dumps(written(ITEMS_STORED, list(items.values()))).encode())

    async def chatkit(self, visit, body, receive, send):
        try:
            result = await self.server.process(body, visit)
        except Exception as error:
            await whole(send, 500, TEXT, told(error))
            return
        if not isinstance(result, StreamingResult):
            await whole(send, 200, JSON, result.json)
            return
        chunks = asyncio.Queue()
        pump = asyncio.create_task(self.pump(result, visit, chunks))
        self.running.add(pump)
        pump.add_done_callback(self.running.discard)
        await start(send, 200, EVENTS)
        gone = asyncio.create_task(self.gone(receive, pump))
        while (chunk := await chunks.get()) is not None:
            if isinstance(chunk, Exception):
                await send({"type": "http.response.body", "body": b": raised " + told(chunk) + b"\n\n", "more_body": True})
                gone.cancel()
                # An answer that its application leaves without an end is cut.
                raise chunk
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        gone.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await gone
        await send({"type": "http.response.body", "body": b""})

    async def pump(self, result, visit, chunks):
        """Runs the stream apart from the connection, as fast as it goes."""
        try:
            async for chunk in result:
                chunks.put_nowait(chunk)
            if visit.begun and not visit.finished:
                chunks.put_nowait(b": unfinished\n\n")
        except Exception as error:
            chunks.put_nowait(error)
        finally:
            chunks.put_nowait(None)

    async def gone(self, receive, pump):
        while (await receive())["type"] != "http.disconnect":
            pass
        if not self.finish:
            pump.cancel()


def told(error):
    return f"{type(error).__name__}: {error}".splitlines()[0].encode()


async def start(send, status, content_type, *more):
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", content_type), *more]})


async def whole(send, status, content_type, body):
    await start(send, status, content_type, (b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.body", "body": body})


class Announced(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        print(f"Listening on port {self.config.port}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--attachments", choices=["on", "off"], default="on")
    parser.add_argument("--transcriber", choices=["on", "off"], default="on")
    parser.add_argument("--on-disconnect", choices=["finish", "cancel"], default="finish")
    # The reference lets everybody write in a locked thread; the option is there because ours has it.
    parser.add_argument("--locked", choices=["refuse", "allow"])
    asked = parser.parse_args()
    server = Scripted(Memory(), Uploads() if asked.attachments == "on" else None, asked.transcriber == "on")
    door = Door(server, asked.on_disconnect == "finish")
    config = uvicorn.Config(door, "127.0.0.1", asked.port, lifespan="off", log_level="critical", http="h11", ws="none")
    Announced(config).run()


if __name__ == "__main__":
    main()
