//! The methods of Qdrant's services, as far as this house calls them.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use qdrant_client::qdrant as wire;
use tonic::{Request, Response, Status};
use wire::alias_operations::Action;
use wire::points_update_operation::Operation;

use super::engine::{Collection, Engine, counts_rarity, key};
use super::query::shown;

/// All services over one engine.
#[derive(Clone)]
pub(super) struct Service(pub(super) Arc<Mutex<Engine>>);

type Answer<T> = Result<Response<T>, Status>;

fn answered<T>(value: T) -> Answer<T> {
    Ok(Response::new(value))
}

/// A service with the methods that this house calls, and with the rest, which it does not.
macro_rules! service {
    ($service:path { $($called:tt)* } $($method:ident($request:ident) -> $response:ident;)*) => {
        #[async_trait]
        impl $service for Service {
            $($called)*
            $(async fn $method(&self, _: Request<wire::$request>) -> Answer<wire::$response> {
                Err(Status::unimplemented(stringify!($method)))
            })*
        }
    };
}

fn done() -> wire::PointsOperationResponse {
    let result = wire::UpdateResult { operation_id: Some(1), status: wire::UpdateStatus::Completed as i32 };
    wire::PointsOperationResponse { result: Some(result), ..Default::default() }
}

/// The real one would not mind; what comes after such a change might not see it, though.
fn waits(wait: Option<bool>) -> Result<(), Status> {
    if wait == Some(true) { Ok(()) } else { Err(Status::invalid_argument("the fake wants wait=true")) }
}

#[async_trait]
impl wire::qdrant_server::Qdrant for Service {
    async fn health_check(&self, _: Request<wire::HealthCheckRequest>) -> Answer<wire::HealthCheckReply> {
        answered(wire::HealthCheckReply { title: "a fake".to_owned(), version: "1.16.0".to_owned(), commit: None })
    }
}

service! {
    wire::points_server::Points {
    async fn upsert(&self, request: Request<wire::UpsertPoints>) -> Answer<wire::PointsOperationResponse> {
        let asked = request.into_inner();
        waits(asked.wait)?;
        let mut engine = self.0.lock().unwrap();
        engine.change()?;
        engine.collection_mut(&asked.collection_name)?.upsert(asked.points)?;
        answered(done())
    }

    async fn delete(&self, request: Request<wire::DeletePoints>) -> Answer<wire::PointsOperationResponse> {
        let asked = request.into_inner();
        waits(asked.wait)?;
        let mut engine = self.0.lock().unwrap();
        engine.change()?;
        engine.collection_mut(&asked.collection_name)?.remove(asked.points)?;
        answered(done())
    }

    async fn get(&self, request: Request<wire::GetPoints>) -> Answer<wire::GetResponse> {
        let asked = request.into_inner();
        let engine = self.0.lock().unwrap();
        let collection = engine.collection(&asked.collection_name)?;
        let mut result = Vec::new();
        for id in &asked.ids {
            if let Some(point) = collection.points.get(&key(Some(id))?) {
                let payload = shown(point, asked.with_payload.as_ref());
                result.push(wire::RetrievedPoint { id: Some(point.id.clone()), payload, ..Default::default() });
            }
        }
        answered(wire::GetResponse { result, ..Default::default() })
    }

    async fn create_field_index(
        &self,
        request: Request<wire::CreateFieldIndexCollection>,
    ) -> Answer<wire::PointsOperationResponse> {
        let asked = request.into_inner();
        waits(asked.wait)?;
        assert_eq!(asked.field_type, Some(wire::FieldType::Keyword as i32));
        self.0.lock().unwrap().collection_mut(&asked.collection_name)?.indexes.insert(asked.field_name);
        answered(done())
    }

    async fn scroll(&self, request: Request<wire::ScrollPoints>) -> Answer<wire::ScrollResponse> {
        let asked = request.into_inner();
        let engine = self.0.lock().unwrap();
        let collection = engine.collection(&asked.collection_name)?;
        let passing = collection.passing(asked.filter.as_ref())?;
        if asked.limit == Some(0) {
            return Err(Status::invalid_argument("Validation error in body: [limit: must be 1 or larger]"));
        }
        let from = asked.offset.as_ref().map(|id| key(Some(id))).transpose()?.unwrap_or_default();
        let mut rest = passing.range(from..);
        let limit = asked.limit.unwrap_or(10) as usize;
        let page: Vec<&String> = rest.by_ref().take(limit).collect();
        let next_page_offset = rest.next().map(|key| collection.points[key].id.clone());
        let result = page.into_iter().map(|key| {
            let point = &collection.points[key];
            let payload = shown(point, asked.with_payload.as_ref());
            wire::RetrievedPoint { id: Some(point.id.clone()), payload, ..Default::default() }
        });
        answered(wire::ScrollResponse { next_page_offset, result: result.collect(), ..Default::default() })
    }

    async fn count(&self, request: Request<wire::CountPoints>) -> Answer<wire::CountResponse> {
        let asked = request.into_inner();
        let engine = self.0.lock().unwrap();
        let count = engine.collection(&asked.collection_name)?.passing(asked.filter.as_ref())?.len() as u64;
        answered(wire::CountResponse { result: Some(wire::CountResult { count }), ..Default::default() })
    }

    async fn update_batch(&self, request: Request<wire::UpdateBatchPoints>) -> Answer<wire::UpdateBatchResponse> {
        let asked = request.into_inner();
        let mut engine = self.0.lock().unwrap();
        waits(asked.wait)?;
        // As in the real one, what came before an operation that fails stays.
        for operation in asked.operations {
            engine.change()?;
            let collection = engine.collection_mut(&asked.collection_name)?;
            match operation.operation {
                Some(Operation::Upsert(list)) => collection.upsert(list.points)?,
                Some(Operation::DeletePoints(delete)) => collection.remove(delete.points)?,
                _ => return Err(Status::unimplemented("the fake knows upsert and delete")),
            }
        }
        answered(wire::UpdateBatchResponse::default())
    }

    async fn query(&self, request: Request<wire::QueryPoints>) -> Answer<wire::QueryResponse> {
        let asked = request.into_inner();
        let result = self.0.lock().unwrap().collection(&asked.collection_name)?.query(&asked)?;
        answered(wire::QueryResponse { result, ..Default::default() })
    }

    async fn query_batch(&self, request: Request<wire::QueryBatchPoints>) -> Answer<wire::QueryBatchResponse> {
        let asked = request.into_inner();
        if asked.timeout.is_none_or(|seconds| seconds == 0) {
            return Err(Status::invalid_argument("the fake wants to know how long somebody waits"));
        }
        let engine = self.0.lock().unwrap();
        let collection = engine.collection(&asked.collection_name)?;
        let queries = asked.query_points.iter().map(|query| {
            assert_eq!(query.collection_name, asked.collection_name);
            Ok(wire::BatchResult { result: collection.query(query)? })
        });
        answered(wire::QueryBatchResponse { result: queries.collect::<Result<_, Status>>()?, ..Default::default() })
    }

    }

        update_vectors(UpdatePointVectors) -> PointsOperationResponse;
        delete_vectors(DeletePointVectors) -> PointsOperationResponse;
        set_payload(SetPayloadPoints) -> PointsOperationResponse;
        overwrite_payload(SetPayloadPoints) -> PointsOperationResponse;
        delete_payload(DeletePayloadPoints) -> PointsOperationResponse;
        clear_payload(ClearPayloadPoints) -> PointsOperationResponse;
        delete_field_index(DeleteFieldIndexCollection) -> PointsOperationResponse;
        create_vector_name(CreateVectorNameRequest) -> PointsOperationResponse;
        delete_vector_name(DeleteVectorNameRequest) -> PointsOperationResponse;
        search(SearchPoints) -> SearchResponse;
        search_batch(SearchBatchPoints) -> SearchBatchResponse;
        search_groups(SearchPointGroups) -> SearchGroupsResponse;
        recommend(RecommendPoints) -> RecommendResponse;
        recommend_batch(RecommendBatchPoints) -> RecommendBatchResponse;
        recommend_groups(RecommendPointGroups) -> RecommendGroupsResponse;
        discover(DiscoverPoints) -> DiscoverResponse;
        discover_batch(DiscoverBatchPoints) -> DiscoverBatchResponse;
        query_groups(QueryPointGroups) -> QueryGroupsResponse;
        facet(FacetCounts) -> FacetResponse;
        search_matrix_pairs(SearchMatrixPoints) -> SearchMatrixPairsResponse;
        search_matrix_offsets(SearchMatrixPoints) -> SearchMatrixOffsetsResponse;
}

service! {
    wire::collections_server::Collections {
    async fn get(&self, request: Request<wire::GetCollectionInfoRequest>) -> Answer<wire::GetCollectionInfoResponse> {
        let engine = self.0.lock().unwrap();
        let info = info(engine.collection(&request.into_inner().collection_name)?);
        answered(wire::GetCollectionInfoResponse { result: Some(info), ..Default::default() })
    }

    async fn list(&self, _: Request<wire::ListCollectionsRequest>) -> Answer<wire::ListCollectionsResponse> {
        let engine = self.0.lock().unwrap();
        let named = engine.collections.keys().map(|name| wire::CollectionDescription { name: name.clone() });
        answered(wire::ListCollectionsResponse { collections: named.collect(), ..Default::default() })
    }

    async fn create(&self, request: Request<wire::CreateCollection>) -> Answer<wire::CollectionOperationResponse> {
        let asked = request.into_inner();
        let mut collection = Collection::default();
        match asked.vectors_config.and_then(|vectors| vectors.config) {
            Some(wire::vectors_config::Config::Params(unnamed)) => {
                collection.dense.insert(String::new(), unnamed.size);
            }
            Some(wire::vectors_config::Config::ParamsMap(named)) => {
                collection.dense.extend(named.map.into_iter().map(|(name, vector)| (name, vector.size)));
            }
            None => {}
        }
        let sparse = asked.sparse_vectors_config.map(|sparse| sparse.map).unwrap_or_default();
        collection.sparse.extend(sparse.into_iter().map(|(name, vector)| (name, counts_rarity(vector.modifier))));
        self.0.lock().unwrap().create(&asked.collection_name, collection)?;
        answered(wire::CollectionOperationResponse { result: true, ..Default::default() })
    }

    async fn delete(&self, request: Request<wire::DeleteCollection>) -> Answer<wire::CollectionOperationResponse> {
        let result = self.0.lock().unwrap().delete(&request.into_inner().collection_name);
        answered(wire::CollectionOperationResponse { result, ..Default::default() })
    }

    async fn update_aliases(&self, request: Request<wire::ChangeAliases>) -> Answer<wire::CollectionOperationResponse> {
        let mut engine = self.0.lock().unwrap();
        for action in request.into_inner().actions {
            match action.action {
                Some(Action::CreateAlias(made)) => engine.alias(&made.alias_name, &made.collection_name)?,
                Some(Action::DeleteAlias(gone)) => drop(engine.aliases.remove(&gone.alias_name)),
                _ => return Err(Status::unimplemented("the fake does not rename")),
            }
        }
        answered(wire::CollectionOperationResponse { result: true, ..Default::default() })
    }

    async fn list_aliases(&self, _: Request<wire::ListAliasesRequest>) -> Answer<wire::ListAliasesResponse> {
        let engine = self.0.lock().unwrap();
        let aliases = engine.aliases.iter().map(|(alias, collection)| wire::AliasDescription {
            alias_name: alias.clone(),
            collection_name: collection.clone(),
        });
        answered(wire::ListAliasesResponse { aliases: aliases.collect(), ..Default::default() })
    }

    }

        update(UpdateCollection) -> CollectionOperationResponse;
        list_collection_aliases(ListCollectionAliasesRequest) -> ListAliasesResponse;
        collection_cluster_info(CollectionClusterInfoRequest) -> CollectionClusterInfoResponse;
        collection_exists(CollectionExistsRequest) -> CollectionExistsResponse;
        update_collection_cluster_setup(UpdateCollectionClusterSetupRequest) -> UpdateCollectionClusterSetupResponse;
        create_shard_key(CreateShardKeyRequest) -> CreateShardKeyResponse;
        delete_shard_key(DeleteShardKeyRequest) -> DeleteShardKeyResponse;
        list_shard_keys(ListShardKeysRequest) -> ListShardKeysResponse;
}

fn info(collection: &Collection) -> wire::CollectionInfo {
    let size = |size: u64| wire::VectorParams { size, distance: wire::Distance::Cosine as i32, ..Default::default() };
    let config = match collection.dense.get("") {
        Some(unnamed) => wire::vectors_config::Config::Params(size(*unnamed)),
        None => wire::vectors_config::Config::ParamsMap(wire::VectorParamsMap {
            map: collection.dense.iter().map(|(name, dimensions)| (name.clone(), size(*dimensions))).collect(),
        }),
    };
    let sparse = collection.sparse.keys().map(|name| (name.clone(), wire::SparseVectorParams::default()));
    let params = wire::CollectionParams {
        vectors_config: Some(wire::VectorsConfig { config: Some(config) }),
        sparse_vectors_config: Some(wire::SparseVectorConfig { map: sparse.collect() }),
        ..Default::default()
    };
    let keyword = wire::PayloadSchemaInfo { data_type: wire::PayloadSchemaType::Keyword as i32, ..Default::default() };
    wire::CollectionInfo {
        config: Some(wire::CollectionConfig { params: Some(params), ..Default::default() }),
        payload_schema: collection.indexes.iter().map(|field| (field.clone(), keyword.clone())).collect(),
        points_count: Some(collection.points.len() as u64),
        ..Default::default()
    }
}
