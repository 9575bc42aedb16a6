# What readers are told. Names begin with the part of the house that says it.

answer-broken-off = The answer broke off. Please try again.

playground-direction = ltr
playground-title = Ask the book
playground-threads = Conversations
playground-conversation = Conversation
playground-new = New conversation
playground-hint = Ask a question about the book. The answer comes as it is written, with links to the pages that it rests on.
playground-question = Your question
playground-send = Send
playground-stop = Stop
playground-thinking = An answer is on its way …
playground-complete = The answer is complete.
playground-stopped = The answer was stopped.
playground-away = The server cannot be reached at the moment. Please try again.
playground-retry = Try again
playground-delete = Delete
playground-sure = Delete this conversation for good?
playground-sources = Sources
playground-reader = You:
playground-tutor = Tutor:
playground-other = Only a page with the ChatKit widget can show this:
playground-book = The book
playground-docs = The interface
playground-readme = README
playground-noscript = This page needs JavaScript.
