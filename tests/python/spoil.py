"""Can the comparison fail? Single members of our answers are changed, and each change must be noticed."""

from stage import Ours


class Spoiled(Ours):
    """Our side, behind somebody who changes the first answer that lends itself to it."""

    def __init__(self, host, tally, how):
        super().__init__(host, tally)
        self.how = how

    def ask(self, body, **how):
        answer = super().ask(body, **how)
        if self.how and self.how(answer):
            self.how = None
        return answer


def events(answer, kind):
    return [event for event in answer.body if event["type"] == kind] if answer.granted and answer.streams else []


def spoil_delta(answer):
    deltas = [event for event in events(answer, "thread.item.updated") if "delta" in event["update"]]
    for event in deltas[1:2]:
        event["update"]["delta"] += " "
    return deltas


def spoil_member(answer):
    done = events(answer, "thread.item.done")
    for event in done[-1:]:
        event["item"]["note"] = None
    return done


def spoil_time(answer):
    done = events(answer, "thread.item.done")
    for event in done[-1:]:
        event["item"]["created_at"] = event["item"]["created_at"].removesuffix("Z") + "+00:00"
    return done


def spoil_identifier(answer):
    updated = events(answer, "thread.item.updated")
    for event in updated[-1:]:
        event["item_id"] = "msg_0123456789"
    return updated


def spoil_number(answer):
    updated = [event for event in events(answer, "thread.item.updated") if "content_index" in event["update"]]
    for event in updated[:1]:
        event["update"]["content_index"] = float(event["update"]["content_index"])
    return updated


def lose_event(answer):
    updated = events(answer, "thread.item.updated")
    for event in updated[:1]:
        answer.body.remove(event)
    return updated


def swap_events(answer):
    updated = events(answer, "thread.item.updated")
    if len(updated) > 2:
        first, second = (answer.body.index(event) for event in updated[1:3])
        answer.body[first], answer.body[second] = answer.body[second], answer.body[first]
    return len(updated) > 2


def lose_row(answer):
    listed = answer.granted and isinstance(answer.body, dict) and answer.body.get("data")
    if listed:
        answer.body["data"].pop()
    return listed


def swap_refusals(answer):
    answer.status = {404: 400}.get(answer.status, answer.status)
    return answer.status == 400


def lose_sentence(answer):
    known = answer.status == 404 and answer.body.pop("message", None)
    return known


# The cases in which answers are changed, and the changes.
WAYS = {
    "text-streamed": [spoil_delta, spoil_member, spoil_time, spoil_identifier, spoil_number, lose_event, swap_events],
    "list-items-pages": [lose_row],
    "unknown-thread-json": [swap_refusals, lose_sentence],
}
