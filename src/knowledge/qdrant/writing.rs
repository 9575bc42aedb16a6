//! Documents on their way into Qdrant and back: in bounded batches, each seen as stored only when all of it is.

use qdrant_client::qdrant::points_update_operation::{DeletePoints, Operation, PointStructList};
use qdrant_client::qdrant::{
    Condition, DeletePointsBuilder, Filter, GetPointsBuilder, PayloadIncludeSelector, PointStruct,
    PointsUpdateOperation, RetrievedPoint, ScrollPointsBuilder, UpdateBatchPointsBuilder,
    with_payload_selector::SelectorOptions,
};

use super::client::{Client, Patience};
use super::failure::Failure;
use super::points::{self, Kind};
use crate::knowledge::{Document, DocumentState, Passage};

/// Points in one request, at most.
const BATCH_POINTS_MAX: usize = 128;
/// Texts in one request, at most, unless a single one is larger; vectors come on top.
const BATCH_TEXT_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Points that are read in one go.
const PAGE_POINTS: u32 = 500;
/// A collection with more documents, or a document with more passages, is read no further.
const READ_POINTS_MAX: usize = 1_000_000;

/// Changes on their way, in order.
#[derive(Default)]
struct Batch {
    operations: Vec<PointsUpdateOperation>,
    points: usize,
    bytes: usize,
}

impl Batch {
    fn is_full(&self) -> bool {
        self.points >= BATCH_POINTS_MAX || self.bytes >= BATCH_TEXT_BYTES_MAX
    }

    fn add(&mut self, operation: Operation) {
        self.operations.push(PointsUpdateOperation { operation: Some(operation) });
    }
}

impl Client {
    /// Stores documents with their vectors, each in place of what was stored under its path.
    ///
    /// A document's record says first that it is unfinished, and last that it is whole, so that one that was interrupted
    /// is neither taken for stored nor forgotten about. The new passages are there before the old ones go, so that no
    /// search finds neither.
    pub(super) async fn put(
        &self,
        collection: &str,
        documents: &[Document],
        mut vectors: Option<impl Iterator<Item = Vec<f32>>>,
    ) -> Result<(), Failure> {
        let mut batch = Batch::default();
        for document in documents {
            let own = vectors.as_mut().map(|all| all.take(document.passages.len()).collect());
            let passages = points::of_passages(document, own);
            let mut ids: Vec<_> = passages.iter().filter_map(|point| point.id.clone()).collect();
            ids.push(points::document_id(&document.path));
            batch.add(upsert(vec![points::of_document(Kind::Unfinished, document)]));
            let mut chunk = Vec::new();
            for (point, passage) in passages.into_iter().zip(&document.passages) {
                batch.points += 1;
                batch.bytes += passage.text.len();
                chunk.push(point);
                if batch.is_full() {
                    batch.add(upsert(std::mem::take(&mut chunk)));
                    self.send(collection, std::mem::take(&mut batch)).await?;
                }
            }
            if !chunk.is_empty() {
                batch.add(upsert(chunk));
            }
            batch.add(delete(points::by_filter(left_over(&document.path, ids))));
            batch.points += 1;
            batch.add(upsert(vec![points::of_document(Kind::Document, document)]));
            if batch.is_full() {
                self.send(collection, std::mem::take(&mut batch)).await?;
            }
        }
        if batch.operations.is_empty() { Ok(()) } else { self.send(collection, batch).await }
    }

    async fn send(&self, collection: &str, batch: Batch) -> Result<(), Failure> {
        let request = UpdateBatchPointsBuilder::new(collection, batch.operations).wait(true).build();
        let sent = self.ask(Patience::Work, |qdrant| {
            let request = request.clone();
            async move { qdrant.update_points_batch(request).await }
        });
        sent.await.map(drop)
    }

    /// Forgets a document.
    pub(super) async fn remove(&self, collection: &str, path: &str) -> Result<(), Failure> {
        let removed = self.ask(Patience::Work, |qdrant| async move {
            let request = DeletePointsBuilder::new(collection).points(points::of_path(path)).wait(true);
            qdrant.delete_points(request).await
        });
        removed.await.map(drop)
    }

    /// All documents, by path, those among them whose storing was broken off.
    pub(super) async fn states(&self, collection: &str) -> Result<Vec<DocumentState>, Failure> {
        let records = self.read_all(collection, Some(points::of_records()), None).await?;
        let mut states: Vec<_> = records.into_iter().filter_map(|point| points::state(point.payload)).collect();
        states.sort_unstable_by(|one: &DocumentState, other| one.path.cmp(&other.path));
        Ok(states)
    }

    /// A document with its passages, if it is stored as a whole.
    pub(super) async fn document(&self, collection: &str, path: &str) -> Result<Option<Document>, Failure> {
        let found = self.ask(Patience::Work, |qdrant| async move {
            let request = GetPointsBuilder::new(collection, vec![points::document_id(path)]).with_payload(true);
            qdrant.get_points(request).await
        });
        let record = found.await?.result.into_iter().next().and_then(|point| points::whole(point.payload));
        let Some(state) = record else { return Ok(None) };
        let mut filter = points::of_path(path);
        filter.must.extend(points::of_kind(Kind::Passage).must);
        let stored = self.read_all(collection, Some(filter), None).await?;
        let mut passages: Vec<Passage> = stored.into_iter().filter_map(|point| points::read(point.payload)).collect();
        passages.sort_by_key(|passage| passage.position);
        let whole = passages.len() == state.passages as usize;
        Ok(whole.then_some(Document { path: state.path, fingerprint: state.fingerprint, passages }))
    }

    /// All points that a filter lets through; of what they hold, the members that are named.
    pub(super) async fn read_all(
        &self,
        collection: &str,
        filter: Option<Filter>,
        members: Option<Vec<String>>,
    ) -> Result<Vec<RetrievedPoint>, Failure> {
        let mut request = ScrollPointsBuilder::new(collection).limit(PAGE_POINTS).with_vectors(false).build();
        request.filter = filter;
        request.with_payload = Some(match members {
            Some(fields) => SelectorOptions::Include(PayloadIncludeSelector { fields }).into(),
            None => true.into(),
        });
        let mut all = Vec::new();
        loop {
            let page = self.ask(Patience::Work, |qdrant| {
                let request = request.clone();
                async move { qdrant.scroll(request).await }
            });
            let page = page.await?;
            all.extend(page.result);
            match page.next_page_offset {
                Some(next) if all.len() < READ_POINTS_MAX => request.offset = Some(next),
                Some(_) | None => return Ok(all),
            }
        }
    }
}

fn upsert(points: Vec<PointStruct>) -> Operation {
    Operation::Upsert(PointStructList { points, ..PointStructList::default() })
}

fn delete(points: qdrant_client::qdrant::PointsSelector) -> Operation {
    Operation::DeletePoints(DeletePoints { points: Some(points), shard_key_selector: None })
}

/// What an earlier edition of a document left.
fn left_over(path: &str, ids: Vec<qdrant_client::qdrant::PointId>) -> Filter {
    let mut filter = points::of_path(path);
    filter.must_not.push(Condition::has_id(ids));
    filter
}
