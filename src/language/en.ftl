# What readers are told. Names begin with the part of the house that says it.

answer-broken-off = The answer broke off. Please try again.

simple-let-go = You read the answer too slowly, and were let go. It is still being written: read the conversation again in a moment.
