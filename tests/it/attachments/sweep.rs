//! What goes by itself: bytes of deleted attachments and threads, of files nobody used, and of a process that died.
