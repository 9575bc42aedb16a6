//! Collections, points and aliases in memory, with the checks of the real one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use qdrant_client::qdrant::condition::ConditionOneOf;
use qdrant_client::qdrant::r#match::MatchValue;
use qdrant_client::qdrant::point_id::PointIdOptions;
use qdrant_client::qdrant::points_selector::PointsSelectorOneOf;
use qdrant_client::qdrant::vectors::VectorsOptions;
use qdrant_client::qdrant::{
    Condition, Filter, Modifier, PointId, PointStruct, PointsSelector, SparseVector, Value, Vector, value, vector,
};
use tonic::Status;
use uuid::Uuid;

/// What the real one does not take into the name of a collection.
const NOT_IN_NAMES: &[char] = &['<', '>', ':', '"', '/', '\\', '|', '?', '*', '\0', '\u{1f}'];
/// And how long it may be.
const COLLECTION_NAME_BYTES_MAX: usize = 255;
/// The longest vector.
const DIMENSIONS_MAX: u64 = 65_536;

#[derive(Default)]
pub(crate) struct Engine {
    pub(crate) collections: BTreeMap<String, Collection>,
    pub(crate) aliases: BTreeMap<String, String>,
    /// So many changes are still made, each operation of a batch being one; then the disk is full. None for no end.
    pub(crate) changes_left: Option<usize>,
}

#[derive(Clone, Default)]
pub(crate) struct Collection {
    /// Dense vectors and their dimensions; the one without a name is ``.
    pub(crate) dense: HashMap<String, u64>,
    /// Sparse vectors, and whether rarity counts.
    pub(crate) sparse: HashMap<String, bool>,
    pub(crate) indexes: BTreeSet<String>,
    pub(crate) points: BTreeMap<String, Stored>,
    /// Whether filters on what has no index pass, as they do not in the cloud.
    pub(crate) lenient: bool,
}

#[derive(Clone)]
pub(crate) struct Stored {
    pub(crate) id: PointId,
    pub(crate) payload: HashMap<String, Value>,
    pub(crate) dense: HashMap<String, Vec<f32>>,
    pub(crate) sparse: HashMap<String, SparseVector>,
}

fn missing(name: &str) -> Status {
    Status::not_found(format!("Not found: Collection `{name}` doesn't exist!"))
}

impl Engine {
    /// One change is made.
    pub(crate) fn change(&mut self) -> Result<(), Status> {
        match &mut self.changes_left {
            None => Ok(()),
            Some(0) => Err(Status::permission_denied("the disk is full")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
        }
    }

    fn resolved<'a>(&'a self, name: &'a str) -> &'a str {
        self.aliases.get(name).map_or(name, String::as_str)
    }

    pub(crate) fn collection(&self, name: &str) -> Result<&Collection, Status> {
        self.collections.get(self.resolved(name)).ok_or_else(|| missing(name))
    }

    pub(crate) fn collection_mut(&mut self, name: &str) -> Result<&mut Collection, Status> {
        let resolved = self.resolved(name).to_owned();
        self.collections.get_mut(&resolved).ok_or_else(|| missing(name))
    }

    pub(crate) fn create(&mut self, name: &str, collection: Collection) -> Result<(), Status> {
        if name.is_empty() || name.len() > COLLECTION_NAME_BYTES_MAX || name.contains(NOT_IN_NAMES) {
            return Err(Status::invalid_argument("Validation error in body: [collection_name]"));
        }
        if collection.dense.values().any(|size| !(1..=DIMENSIONS_MAX).contains(size)) {
            return Err(Status::invalid_argument("Validation error in body: [size: must be from 1 to 65536]"));
        }
        if self.collections.contains_key(name) || self.aliases.contains_key(name) {
            return Err(Status::already_exists(format!("Collection `{name}` already exists!")));
        }
        self.collections.insert(name.to_owned(), collection);
        Ok(())
    }

    pub(crate) fn delete(&mut self, name: &str) -> bool {
        self.aliases.retain(|_, collection| collection != name);
        self.collections.remove(name).is_some()
    }

    pub(crate) fn alias(&mut self, alias: &str, collection: &str) -> Result<(), Status> {
        if !self.collections.contains_key(collection) {
            return Err(missing(collection));
        }
        if self.collections.contains_key(alias) {
            return Err(Status::invalid_argument(format!("Wrong input: Collection `{alias}` already exists!")));
        }
        self.aliases.insert(alias.to_owned(), collection.to_owned());
        Ok(())
    }
}

/// The name under which a point is kept.
pub(crate) fn key(id: Option<&PointId>) -> Result<String, Status> {
    match id.and_then(|id| id.point_id_options.as_ref()) {
        None => Err(Status::invalid_argument("Empty ID is not allowed")),
        Some(PointIdOptions::Num(number)) => Ok(format!("{number:020}")),
        Some(PointIdOptions::Uuid(text)) => match Uuid::try_parse(text) {
            Ok(uuid) => Ok(uuid.to_string()),
            Err(_) => Err(Status::invalid_argument(format!("Unable to parse UUID: {text}"))),
        },
    }
}

impl Collection {
    pub(crate) fn vector_size(&self, name: &str, given: usize) -> Result<(), Status> {
        match self.dense.get(name) {
            None => Err(Status::invalid_argument(format!("Wrong input: Not existing vector name error: {name}"))),
            Some(size) if *size != given as u64 => Err(Status::invalid_argument(format!(
                "Wrong input: Vector dimension error: expected dim: {size}, got {given}"
            ))),
            Some(_) => Ok(()),
        }
    }

    /// Whether there is a vector of each of these names.
    pub(crate) fn has_vectors(&self, names: &[String]) -> Result<(), Status> {
        let unknown = names.iter().find(|name| !self.dense.contains_key(*name) && !self.sparse.contains_key(*name));
        unknown.map_or(Ok(()), |name| {
            Err(Status::invalid_argument(format!("Wrong input: Not existing vector name error: {name}")))
        })
    }

    pub(crate) fn sparse_is_right(&self, name: &str, vector: &SparseVector) -> Result<bool, Status> {
        let unique: BTreeSet<u32> = vector.indices.iter().copied().collect();
        let is_finite = vector.values.iter().all(|value| value.is_finite());
        if unique.len() != vector.indices.len() || vector.values.len() != vector.indices.len() || !is_finite {
            return Err(Status::invalid_argument("Validation error: indices: must be unique, and as many as values"));
        }
        let named = self.sparse.get(name).copied();
        named.ok_or_else(|| Status::invalid_argument(format!("Wrong input: Not existing vector name error: {name}")))
    }

    pub(crate) fn upsert(&mut self, points: Vec<PointStruct>) -> Result<(), Status> {
        let stored: Vec<(String, Stored)> =
            points.into_iter().map(|point| self.checked(point)).collect::<Result<_, _>>()?;
        self.points.extend(stored);
        Ok(())
    }

    fn checked(&self, point: PointStruct) -> Result<(String, Stored), Status> {
        let key = key(point.id.as_ref())?;
        let given = point.vectors.and_then(|vectors| vectors.vectors_options);
        let named: Vec<(String, Vector)> = match given {
            None => return Err(Status::invalid_argument("Expected some vectors")),
            Some(VectorsOptions::Vector(vector)) => vec![(String::new(), vector)],
            Some(VectorsOptions::Vectors(named)) => named.vectors.into_iter().collect(),
        };
        let (mut dense, mut sparse) = (HashMap::new(), HashMap::new());
        for (name, vector) in named {
            #[expect(deprecated, reason = "older clients say it so")]
            let (data, vector) = (vector.data, vector.vector);
            match vector {
                Some(vector::Vector::Sparse(vector)) => {
                    self.sparse_is_right(&name, &vector)?;
                    sparse.insert(name, vector);
                }
                Some(vector::Vector::Dense(vector)) => {
                    self.vector_size(&name, vector.data.len())?;
                    dense.insert(name, vector.data);
                }
                None => {
                    self.vector_size(&name, data.len())?;
                    dense.insert(name, data);
                }
                Some(_) => return Err(Status::unimplemented("")),
            }
        }
        let id = point.id.expect("a point with a key has an id");
        Ok((key, Stored { id, payload: point.payload, dense, sparse }))
    }

    pub(crate) fn remove(&mut self, selector: Option<PointsSelector>) -> Result<(), Status> {
        match selector.and_then(|selector| selector.points_selector_one_of) {
            None => Err(Status::invalid_argument("PointSelector is missing")),
            Some(PointsSelectorOneOf::Points(list)) => {
                for id in &list.ids {
                    self.points.remove(&key(Some(id))?);
                }
                Ok(())
            }
            Some(PointsSelectorOneOf::Filter(filter)) => {
                let gone = self.passing(Some(&filter))?;
                self.points.retain(|key, _| !gone.contains(key));
                Ok(())
            }
        }
    }

    /// The keys of all points that pass.
    pub(crate) fn passing(&self, filter: Option<&Filter>) -> Result<BTreeSet<String>, Status> {
        let Some(filter) = filter else { return Ok(self.points.keys().cloned().collect()) };
        if !filter.should.is_empty() || filter.min_should.is_some() {
            return Err(Status::unimplemented("the fake knows must and must_not"));
        }
        let mut passing = BTreeSet::new();
        for condition in filter.must.iter().chain(&filter.must_not) {
            self.is_indexed(condition)?;
        }
        for (key, point) in &self.points {
            let all = filter.must.iter().all(|condition| holds(condition, key, point));
            if all && !filter.must_not.iter().any(|condition| holds(condition, key, point)) {
                passing.insert(key.clone());
            }
        }
        Ok(passing)
    }

    fn is_indexed(&self, condition: &Condition) -> Result<(), Status> {
        match &condition.condition_one_of {
            Some(ConditionOneOf::Field(field)) if !self.lenient && !self.indexes.contains(&field.key) => {
                Err(Status::invalid_argument(format!(
                    "Bad request: Index required but not found for \"{}\" of one of the following types: [keyword]. \
                     Help: Create an index for this key or use a different filter.",
                    field.key
                )))
            }
            Some(_) => Ok(()),
            None => Err(Status::invalid_argument("Malformed condition")),
        }
    }

    /// How rare a word is, as the real one counts it: among the points that have such a vector.
    pub(crate) fn rarity(&self, name: &str, index: u32) -> f32 {
        let all = self.points.values().filter(|point| point.sparse.contains_key(name)).count() as f32;
        let having = |point: &&Stored| point.sparse.get(name).is_some_and(|own| own.indices.contains(&index));
        let spread = self.points.values().filter(having).count() as f32;
        ((all - spread + 0.5) / (spread + 0.5) + 1.0).ln()
    }
}

/// Whether a sparse vector's words count by how rare they are.
pub(crate) fn counts_rarity(modifier: Option<i32>) -> bool {
    modifier == Some(Modifier::Idf as i32)
}

fn holds(condition: &Condition, key_of_point: &str, point: &Stored) -> bool {
    match condition.condition_one_of.as_ref().expect("looked at before") {
        ConditionOneOf::HasId(ids) => ids.has_id.iter().any(|id| key(Some(id)).is_ok_and(|key| key == key_of_point)),
        ConditionOneOf::Field(field) => {
            let wanted = field.r#match.as_ref().and_then(|wanted| wanted.match_value.as_ref());
            let own = point.payload.get(&field.key).and_then(|value| value.kind.as_ref());
            match (wanted, own) {
                (Some(MatchValue::Keyword(wanted)), Some(value::Kind::StringValue(own))) => wanted == own,
                (Some(MatchValue::Keywords(wanted)), Some(value::Kind::StringValue(own))) => {
                    wanted.strings.contains(own)
                }
                (_, None) => false,
                other => panic!("the fake does not know this condition: {other:?}"),
            }
        }
        other => panic!("the fake does not know this condition: {other:?}"),
    }
}
