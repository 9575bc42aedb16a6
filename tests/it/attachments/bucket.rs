//! Attachments in a bucket: a small store that speaks S3, behind a real socket.
