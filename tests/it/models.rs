//! Models that misbehave: recorded answers of providers, and what becomes of them.

mod conversation;
mod gemini;
mod openai;
mod others;
mod recording;
mod standing_in;
