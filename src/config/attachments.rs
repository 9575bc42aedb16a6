//! Settings of attachments: where their bytes lie, and what is accepted.

use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;

use super::variables::*;
use super::{Reader, Variable, size};

/// Where bytes lie.
#[derive(Clone, Debug)]
pub enum AttachmentPlace {
    /// Nowhere: there are no attachments.
    Off,
    /// In a folder.
    Folder {
        /// The folder; it is made when it is missing.
        path: PathBuf,
        /// Whether the operator named it. A folder that nobody asked for may be missing.
        chosen: bool,
    },
    /// In a bucket.
    Bucket(BucketSettings),
}

/// A bucket of a store that speaks S3.
#[derive(Clone, Debug)]
pub struct BucketSettings {
    /// Its name.
    pub name: String,
    /// What the names of objects begin with; may be empty.
    pub prefix: String,
    /// Keys, region, endpoint: by the names of their variables, in lower case.
    pub options: Vec<(String, SecretString)>,
}

/// Attachments.
#[derive(Clone, Debug)]
pub struct AttachmentSettings {
    /// Where their bytes lie.
    pub place: AttachmentPlace,
    /// The largest file, in bytes.
    pub bytes_max: u64,
    /// Attachments of one message at most.
    pub per_message_max: usize,
    /// Attachments that one owner may have without any message that names them.
    pub unused_max: u32,
    /// The types that are accepted, in lower case.
    pub types: Vec<String>,
    /// How long an address for an upload is good.
    pub link_lifetime: Duration,
}

/// What the tools for S3 read too, so that a bucket is set up as it is for them.
const BUCKET_OPTIONS: [Variable; 10] = [
    AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY,
    AWS_SESSION_TOKEN,
    AWS_REGION,
    AWS_ENDPOINT,
    AWS_ROLE_ARN,
    AWS_WEB_IDENTITY_TOKEN_FILE,
    AWS_CONTAINER_RELATIVE_URI,
    AWS_CONTAINER_FULL_URI,
    AWS_CONTAINER_TOKEN_FILE,
];

/// Reads them; mistakes stay with the reader.
pub(super) fn read(reader: &mut Reader<'_>, data_dir: &Path) -> AttachmentSettings {
    AttachmentSettings {
        place: place(reader, data_dir),
        bytes_max: reader.number(&ATTACHMENT_BYTES, 1..=1 << 30),
        per_message_max: size(reader, &ATTACHMENTS_PER_MESSAGE, 0..=100),
        unused_max: u32::try_from(reader.number(&ATTACHMENTS_UNUSED, 1..=1_000_000)).unwrap_or(u32::MAX),
        types: types(reader),
        link_lifetime: Duration::from_secs(60 * reader.number(&UPLOAD_LINK_MINUTES, 1..=24 * 60)),
    }
}

fn place(reader: &mut Reader<'_>, data_dir: &Path) -> AttachmentPlace {
    let own = || AttachmentPlace::Folder { path: data_dir.join("attachments"), chosen: false };
    let Some(url) = reader.text(&ATTACHMENTS_URL) else { return own() };
    if url == "off" {
        return AttachmentPlace::Off;
    }
    if let Some(path) = url.strip_prefix("file://").filter(|path| path.starts_with('/') && path.len() > 1) {
        return AttachmentPlace::Folder { path: PathBuf::from(path), chosen: true };
    }
    let bucket = url.strip_prefix("s3://").map(|rest| rest.split_once('/').unwrap_or((rest, "")));
    match bucket {
        Some((name, prefix)) if is_bucket(name) => AttachmentPlace::Bucket(BucketSettings {
            name: name.to_owned(),
            prefix: prefix.trim_matches('/').to_owned(),
            options: options(reader),
        }),
        _ => {
            let remedy =
                "must be file:///path/to/folder, s3://bucket/prefix or `off`; leave it out for a folder in DATA_DIR";
            reader.mistake(ATTACHMENTS_URL.name, remedy);
            own()
        }
    }
}

fn is_bucket(name: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    (3..=63).contains(&name.len()) && name.bytes().all(fine)
}

fn options(reader: &mut Reader<'_>) -> Vec<(String, SecretString)> {
    let mut options = Vec::new();
    for variable in &BUCKET_OPTIONS {
        if let Some(value) = reader.secret(variable) {
            options.push((variable.name.to_ascii_lowercase(), value));
        }
    }
    let given = |name: &str| options.iter().any(|(option, _)| option == name);
    if given("aws_access_key_id") != given("aws_secret_access_key") {
        let remedy = "must be given together with the other one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
        reader.mistake(AWS_SECRET_ACCESS_KEY.name, remedy);
    }
    options
}

fn types(reader: &mut Reader<'_>) -> Vec<String> {
    let types: Vec<String> = reader.list(&ATTACHMENT_TYPES).iter().map(|kind| kind.to_ascii_lowercase()).collect();
    let fine = |kind: &String| {
        let parts = kind.split_once('/');
        parts.is_some_and(|(main, sub)| {
            let main_is_fine = !main.is_empty() && !main.contains('*');
            kind == "*/*" || (main_is_fine && (sub == "*" || !sub.contains('*')) && !sub.is_empty())
        })
    };
    if types.is_empty() || !types.iter().all(fine) {
        reader.mistake(ATTACHMENT_TYPES.name, "must be types such as image/png, text/* or */*, separated by commas");
    }
    types
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::config::{Mistakes, Settings, Variables};

    fn read(pairs: &[(&str, &str)]) -> Result<AttachmentSettings, Mistakes> {
        let variables = Variables::of(pairs.iter().copied());
        let mut reader = Reader::new(&variables);
        let settings = Settings::read(&mut reader);
        reader.finish(settings).map(|settings| settings.attachments)
    }

    #[test]
    fn without_a_word_they_lie_in_the_data_folder() {
        let settings = read(&[("DATA_DIR", "/data")]).unwrap();
        let AttachmentPlace::Folder { path, chosen: false } = settings.place else { panic!("{:?}", settings.place) };
        assert_eq!(path, Path::new("/data/attachments"));
        assert_eq!((settings.bytes_max, settings.per_message_max), (20 << 20, 10));
        assert!(settings.types.contains(&"image/webp".to_owned()));
    }

    #[test]
    fn a_folder_a_bucket_or_nothing_is_chosen_by_the_address() {
        let place = |url: &str| read(&[("ATTACHMENTS_URL", url)]).unwrap().place;
        assert!(matches!(place("off"), AttachmentPlace::Off));
        assert!(
            matches!(place("file:///srv/x"), AttachmentPlace::Folder { path, chosen: true } if path == Path::new("/srv/x"))
        );
        let AttachmentPlace::Bucket(bucket) = place("s3://my-bucket/a/b/") else { panic!("no bucket") };
        assert_eq!((bucket.name.as_str(), bucket.prefix.as_str()), ("my-bucket", "a/b"));
        let AttachmentPlace::Bucket(bucket) = place("s3://my-bucket") else { panic!("no bucket") };
        assert_eq!(bucket.prefix, "");
        for wrong in ["/srv/x", "file://", "file:///", "s3://", "s3:///x", "s3://a b", "gs://bucket", "on"] {
            let mistakes = read(&[("ATTACHMENTS_URL", wrong)]).unwrap_err();
            assert_eq!(mistakes.0[0].variable, "ATTACHMENTS_URL", "{wrong}");
        }
    }

    #[test]
    fn a_bucket_is_set_up_as_for_other_tools_and_its_keys_are_not_shown() {
        let keys =
            [("ATTACHMENTS_URL", "s3://bucket"), ("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "hunter2")];
        let settings =
            read(&[&keys[..], &[("AWS_DEFAULT_REGION", "auto"), ("AWS_ENDPOINT_URL", "http://x")]].concat()).unwrap();
        assert!(!format!("{settings:?}").contains("hunter2"));
        let AttachmentPlace::Bucket(bucket) = settings.place else { panic!("no bucket") };
        let told: Vec<_> = bucket.options.iter().map(|(name, value)| (name.as_str(), value.expose_secret())).collect();
        assert_eq!(
            told,
            [
                ("aws_access_key_id", "id"),
                ("aws_secret_access_key", "hunter2"),
                ("aws_region", "auto"),
                ("aws_endpoint", "http://x"),
            ]
        );
        assert_eq!(read(&keys[..2]).unwrap_err().0[0].variable, "AWS_SECRET_ACCESS_KEY");
    }

    #[test]
    fn types_that_are_none_are_a_mistake() {
        for wrong in [",", "png", "*/png", "image/", "/png", "image/p*"] {
            assert_eq!(read(&[("ATTACHMENT_TYPES", wrong)]).unwrap_err().0[0].variable, "ATTACHMENT_TYPES", "{wrong}");
        }
        assert_eq!(read(&[("ATTACHMENT_TYPES", "Text/*, */*")]).unwrap().types, ["text/*", "*/*"]);
    }
}
