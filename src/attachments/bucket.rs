//! A bucket of a store that speaks S3, reached through the house's own HTTP client.

use std::time::Duration;

use async_trait::async_trait;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use object_store::{ClientOptions, Error, RetryConfig};
use reqwest::header::{ACCEPT_ENCODING, HeaderValue};
use secrecy::ExposeSecret;
use tokio::time::timeout;

use crate::config::BucketSettings;

/// A request is answered, its body sent, within this time.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);
/// A request that failed is sent again so many times.
const TRIES_AGAIN_MAX: usize = 3;
/// And only for so long.
const TRYING_TIME_MAX: Duration = Duration::from_secs(20);

/// The bucket of the settings.
pub(super) fn open(settings: &BucketSettings, client: reqwest::Client) -> Result<AmazonS3, Error> {
    let retry = RetryConfig { max_retries: TRIES_AGAIN_MAX, retry_timeout: TRYING_TIME_MAX, ..RetryConfig::default() };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&settings.name)
        .with_http_connector(Connector(client))
        .with_retry(retry)
        // One request an object: not all stores that speak S3 know how to delete many at once.
        .with_disable_bulk_delete(true);
    for (name, value) in &settings.options {
        builder = builder.with_config(name.parse::<AmazonS3ConfigKey>()?, value.expose_secret());
    }
    builder.build()
}

#[derive(Debug)]
struct Connector(reqwest::Client);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> Result<HttpClient, Error> {
        Ok(HttpClient::new(Limited(self.0.clone())))
    }
}

/// The client, with a limit of time and without compression: a compressed answer does not say how large the object is.
#[derive(Debug)]
struct Limited(reqwest::Client);

#[async_trait]
impl HttpService for Limited {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        match timeout(ANSWER_TIME_MAX, HttpService::call(&self.0, request)).await {
            Ok(answer) => answer,
            Err(late) => Err(HttpError::new(HttpErrorKind::Timeout, late)),
        }
    }
}
