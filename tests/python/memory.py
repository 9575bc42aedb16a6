"""A store in memory for the reference's server, which leaves to stores what it does not do itself.

What goes in and out is a copy. Rows keep the place at which they first came, a row that is stored again included, and a
cursor is the identifier of a row. Of a thread only the members are written that changed since the same request read it,
and a thread that is gone stays gone.
"""

from dataclasses import dataclass, field

from chatkit.store import AttachmentStore, NotFoundError, Store
from chatkit.types import AttachmentUploadDescriptor, FileAttachment, ImageAttachment, Page, ThreadMetadata

THREAD_MEMBERS = ("title", "status", "allowed_image_domains", "metadata")


class UnknownCursor(Exception):
    """A page was to go on behind a row that is not there."""


@dataclass
class Visit:
    """One request, as the store and the hooks see it."""

    # Streams each widget of a script as whole states; see `interpreter.py`.
    whole_widgets: bool = False
    # Threads as this request last saw them, by identifier.
    read: dict = field(default_factory=dict)
    # A hook began to answer, and came to its end.
    begun: bool = False
    finished: bool = False


def page(rows, after, limit, order):
    rows = list(rows) if order == "asc" else list(rows)[::-1]
    places = {row.id: place for place, row in enumerate(rows)}
    if after and after not in places:
        raise UnknownCursor(after)
    start = places[after] + 1 if after else 0
    data = [row.model_copy(deep=True) for row in rows[start : start + limit]]
    has_more = len(rows) > start + limit
    return Page(data=data, has_more=has_more, after=data[-1].id if has_more and data else None)


class Memory(Store[Visit]):
    def __init__(self):
        self.threads, self.items, self.attachments = {}, {}, {}

    async def load_thread(self, thread_id, context):
        if thread_id not in self.threads:
            raise NotFoundError(f"thread {thread_id}")
        context.read[thread_id] = self.threads[thread_id].model_copy(deep=True)
        return self.threads[thread_id].model_copy(deep=True)

    async def save_thread(self, thread, context):
        # The reference saves a thread with its page of items, too.
        new = ThreadMetadata(**{name: getattr(thread, name) for name in ThreadMetadata.model_fields}).model_copy(deep=True)
        kept, read = self.threads.get(new.id), context.read.get(new.id)
        context.read[new.id] = new.model_copy(deep=True)
        if read is None:
            self.threads[new.id] = new
            self.items.setdefault(new.id, {})
        elif kept is not None:
            changed = {name: getattr(new, name) for name in THREAD_MEMBERS if getattr(new, name) != getattr(read, name)}
            self.threads[new.id] = kept.model_copy(update=changed, deep=True)

    async def load_threads(self, limit, after, order, context):
        return page(self.threads.values(), after, limit, order)

    async def delete_thread(self, thread_id, context):
        self.threads.pop(thread_id, None)
        self.items.pop(thread_id, None)

    async def load_thread_items(self, thread_id, after, limit, order, context):
        return page(self.items.get(thread_id, {}).values(), after, limit, order)

    async def load_item(self, thread_id, item_id, context):
        try:
            return self.items[thread_id][item_id].model_copy(deep=True)
        except KeyError:
            raise NotFoundError(f"item {item_id} of {thread_id}") from None

    async def add_thread_item(self, thread_id, item, context):
        if thread_id in self.items:
            self.items[thread_id][item.id] = item.model_copy(deep=True)

    save_item = add_thread_item

    async def delete_thread_item(self, thread_id, item_id, context):
        self.items.get(thread_id, {}).pop(item_id, None)

    async def save_attachment(self, attachment, context):
        self.attachments[attachment.id] = attachment.model_copy(deep=True)

    async def load_attachment(self, attachment_id, context):
        if attachment_id not in self.attachments:
            raise NotFoundError(f"attachment {attachment_id}")
        return self.attachments[attachment_id].model_copy(deep=True)

    async def delete_attachment(self, attachment_id, context):
        self.attachments.pop(attachment_id, None)


class Uploads(AttachmentStore[Visit]):
    """Says where bytes would go; nobody brings any."""

    async def create_attachment(self, input, context):
        attachment_id = self.generate_attachment_id(input.mime_type, context)
        url = f"http://127.0.0.1/uploads/{attachment_id}"
        common = {
            "id": attachment_id,
            "name": input.name,
            "mime_type": input.mime_type,
            "upload_descriptor": AttachmentUploadDescriptor(url=url, method="PUT"),
            "metadata": {"private": True},
        }
        if input.mime_type.startswith("image/"):
            return ImageAttachment(preview_url=url, **common)
        return FileAttachment(**common)

    async def delete_attachment(self, attachment_id, context):
        pass
