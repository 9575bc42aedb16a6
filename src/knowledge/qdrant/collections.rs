//! Collections and the name they go by: `book` is an alias of `book--1`, `book--2`…, so that one can take the place of
//! another in one step.

use qdrant_client::qdrant::{
    CollectionInfo, CountPointsBuilder, CreateAliasBuilder, CreateCollectionBuilder, CreateFieldIndexCollectionBuilder,
    Distance, FieldType, GetPointsBuilder, Modifier, PayloadSchemaType, ScrollPointsBuilder, SparseVectorParamsBuilder,
    SparseVectorsConfigBuilder, UpsertPointsBuilder, VectorParamsBuilder, VectorsConfigBuilder, vectors_config,
};

use super::client::{Client, Patience};
use super::failure::{Failure, Kind as FailureKind};
use super::points::{self, CollectionRecord, DENSE, KIND, Kind, PATH, WORDS};
use super::settings::Shape;

/// Between the name and the number of a collection.
const NUMBERED: &str = "--";

/// What a collection looks like.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Looks {
    /// None when it is none of those that are known.
    pub(super) shape: Option<Shape>,
    /// Numbers in a vector of meaning, if it has one.
    pub(super) dimensions: Option<u64>,
    /// What lacks an index.
    unindexed: Vec<&'static str>,
}

/// The collection of a number.
pub(super) fn numbered(name: &str, number: u32) -> String {
    format!("{name}{NUMBERED}{number}")
}

fn number_of(name: &str, collection: &str) -> Option<u32> {
    collection.strip_prefix(name)?.strip_prefix(NUMBERED)?.parse().ok()
}

impl Client {
    /// What there is under a name, be it a collection's or an alias; none when there is nothing.
    pub(super) async fn look(&self, patience: Patience, name: &str) -> Result<Option<Looks>, Failure> {
        let found = self.ask(patience, |qdrant| async move { qdrant.collection_info(name).await }).await;
        let info = match found {
            Ok(answer) => answer.result.unwrap_or_default(),
            Err(Failure { kind: FailureKind::Missing, .. }) => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let mut looks = looks_of(&info);
        if looks.shape.is_none() && looks.dimensions.is_some() {
            looks.shape = self.shape_of_points(patience, name).await?;
        }
        Ok(Some(looks))
    }

    /// The shape of a collection that somebody else made, by what its first point holds.
    async fn shape_of_points(&self, patience: Patience, name: &str) -> Result<Option<Shape>, Failure> {
        let request = ScrollPointsBuilder::new(name).limit(1).with_payload(true).with_vectors(false).build();
        let page = self.ask(patience, |qdrant| {
            let request = request.clone();
            async move { qdrant.scroll(request).await }
        });
        let page = page.await?;
        let Some(first) = page.result.first() else { return Ok(None) };
        let has = |members: &[&str]| members.iter().all(|member| first.payload.contains_key(*member));
        if has(&["raw_text", "file_path"]) {
            return Ok(Some(Shape::Book));
        }
        Ok(has(&["content", "source"]).then_some(Shape::Tutor))
    }

    /// Makes a collection of this program's shape, with all that it needs before its first use. What is there already
    /// stays.
    pub(super) async fn make(&self, patience: Patience, name: &str, record: &CollectionRecord) -> Result<(), Failure> {
        let mut sparse = SparseVectorsConfigBuilder::default();
        sparse.add_named_vector_params(WORDS, SparseVectorParamsBuilder::default().modifier(Modifier::Idf));
        // How rare a word is, is counted within a shard; with one, it is counted over the whole book.
        let mut request = CreateCollectionBuilder::new(name).sparse_vectors_config(sparse).shard_number(1);
        if let Some(space) = &record.space {
            let mut dense = VectorsConfigBuilder::default();
            dense.add_named_vector_params(
                DENSE,
                VectorParamsBuilder::new(u64::from(space.dimensions), Distance::Cosine),
            );
            request = request.vectors_config(dense);
        }
        let request = request.build();
        let made = self.ask(patience, |qdrant| {
            let request = request.clone();
            async move { qdrant.create_collection(request).await }
        });
        made.await.map(drop).or_else(fine_if_there)?;
        self.index(patience, name, &[KIND, PATH]).await?;
        self.write_record(patience, name, record).await
    }

    /// Makes the indexes that filters need: without them a collection in strict mode refuses.
    async fn index(&self, patience: Patience, name: &str, fields: &[&'static str]) -> Result<(), Failure> {
        for field in fields {
            let made = self.ask(patience, |qdrant| async move {
                let request = CreateFieldIndexCollectionBuilder::new(name, *field, FieldType::Keyword).wait(true);
                qdrant.create_field_index(request).await
            });
            made.await.map(drop).or_else(fine_if_there)?;
        }
        Ok(())
    }

    /// Makes what a collection of this program's shape still lacks.
    pub(super) async fn complete(&self, patience: Patience, name: &str, looks: &Looks) -> Result<(), Failure> {
        self.index(patience, name, &looks.unindexed).await
    }

    pub(super) async fn record(&self, patience: Patience, name: &str) -> Result<Option<CollectionRecord>, Failure> {
        let found = self.ask(patience, |qdrant| async move {
            let request = GetPointsBuilder::new(name, vec![points::collection_id()]).with_payload(true);
            qdrant.get_points(request).await
        });
        Ok(found.await?.result.into_iter().next().and_then(|point| points::read(point.payload)))
    }

    pub(super) async fn write_record(
        &self,
        patience: Patience,
        name: &str,
        record: &CollectionRecord,
    ) -> Result<(), Failure> {
        let written = self.ask(patience, |qdrant| async move {
            let request = UpsertPointsBuilder::new(name, vec![points::of_collection(record)]).wait(true);
            qdrant.upsert_points(request).await
        });
        written.await.map(drop)
    }

    /// How many points of a kind there are.
    pub(super) async fn count(&self, patience: Patience, name: &str, kind: Option<Kind>) -> Result<usize, Failure> {
        let counted = self.ask(patience, |qdrant| async move {
            let request = CountPointsBuilder::new(name).exact(true);
            let request = match kind {
                Some(kind) => request.filter(points::of_kind(kind)),
                None => request,
            };
            qdrant.count(request).await
        });
        let count = counted.await?.result.map_or(0, |result| result.count);
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// The number of the collection that goes by a name; none when the name is a collection's own.
    pub(super) async fn current_number(&self, name: &str) -> Result<Option<u32>, Failure> {
        let listed = self.ask(Patience::Work, |qdrant| async move { qdrant.list_aliases().await }).await?;
        let mut aliases = listed.aliases.into_iter();
        Ok(aliases.find(|alias| alias.alias_name == name).and_then(|alias| number_of(name, &alias.collection_name)))
    }

    /// The numbers of all collections of a name.
    pub(super) async fn numbers(&self, name: &str) -> Result<Vec<u32>, Failure> {
        let listed = self.ask(Patience::Work, |qdrant| async move { qdrant.list_collections().await }).await?;
        let mut numbers: Vec<u32> =
            listed.collections.iter().filter_map(|collection| number_of(name, &collection.name)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Lets a collection go by a name, in one step, whatever went by it before.
    pub(super) async fn name(&self, patience: Patience, name: &str, collection: &str) -> Result<(), Failure> {
        let named =
            self.ask(
                patience,
                |qdrant| async move { qdrant.create_alias(CreateAliasBuilder::new(collection, name)).await },
            );
        named.await.map(drop)
    }

    pub(super) async fn delete(&self, collection: &str) -> Result<(), Failure> {
        let deleted = self.ask(Patience::Work, |qdrant| async move { qdrant.delete_collection(collection).await });
        match deleted.await {
            Ok(_) | Err(Failure { kind: FailureKind::Missing, .. }) => Ok(()),
            Err(failure) => Err(failure),
        }
    }
}

fn fine_if_there(failure: Failure) -> Result<(), Failure> {
    if failure.kind == FailureKind::Exists { Ok(()) } else { Err(failure) }
}

fn looks_of(info: &CollectionInfo) -> Looks {
    let params = info.config.as_ref().and_then(|config| config.params.as_ref());
    let words = params.and_then(|params| params.sparse_vectors_config.as_ref());
    let ours = words.is_some_and(|sparse| sparse.map.contains_key(WORDS));
    let vectors = params.and_then(|params| params.vectors_config.as_ref()).and_then(|vectors| vectors.config.as_ref());
    let dimensions = match vectors {
        Some(vectors_config::Config::Params(unnamed)) if !ours => Some(unnamed.size),
        Some(vectors_config::Config::ParamsMap(named)) if ours => named.map.get(DENSE).map(|dense| dense.size),
        Some(_) | None => None,
    };
    let is_indexed = |field: &str| {
        let schema = info.payload_schema.get(field);
        schema.is_some_and(|schema| schema.data_type == PayloadSchemaType::Keyword as i32)
    };
    let unindexed = [KIND, PATH].into_iter().filter(|field| !is_indexed(field)).collect();
    Looks { shape: ours.then_some(Shape::Gateway), dimensions, unindexed }
}
