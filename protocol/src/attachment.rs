//! Attachments: as they are shown, and as they are kept.

use serde::{Deserialize, Serialize};

use crate::{AttachmentId, JsonMap, ThreadId};

/// A file that belongs to a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Attachment {
    /// Its name in the protocol.
    pub id: AttachmentId,
    /// The file's name.
    pub name: String,
    /// What the client says it is.
    pub mime_type: String,
    /// Where its bytes are to be sent; absent once it belongs to a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload_descriptor: Option<UploadDescriptor>,
    /// The thread of the message it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<ThreadId>,
    /// How it is shown.
    #[serde(flatten)]
    pub kind: AttachmentKind,
}

/// How an attachment is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum AttachmentKind {
    /// By its name.
    File,
    /// As a picture.
    Image {
        /// Where a browser finds the picture.
        preview_url: String,
    },
}

/// Where and how a client sends the bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UploadDescriptor {
    /// The address.
    pub url: String,
    /// The method.
    pub method: UploadMethod,
    /// Headers to send along.
    #[serde(default)]
    pub headers: JsonMap,
}

/// `PUT` sends the bytes as they are; `POST` sends a form with the field `file`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum UploadMethod {
    /// A form.
    Post,
    /// The bytes.
    Put,
}

/// An attachment with what only the server knows of it. Kept apart from [`Attachment`] so that it cannot be sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredAttachment {
    /// What is shown.
    pub attachment: Attachment,
    /// Private to the server.
    #[serde(default)]
    pub metadata: JsonMap,
}
