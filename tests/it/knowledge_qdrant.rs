//! What only Qdrant as a home has to get right.
