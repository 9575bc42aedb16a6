-- Vectors of passages, what is known of a collection as a whole, and names that stand for a collection.

-- Numbers of 32 bits, little endian, one after the other; none where there was no model to make them.
alter table knowledge_passages add column if not exists vector bytea;

-- JSON: the space of the vectors, and what was learned from them.
alter table knowledge_collections add column if not exists record text;

create table if not exists knowledge_aliases (
    name text primary key,
    collection text not null
);
