# The commands of the day. `make` alone lists them.

TARGET  := $(or $(CARGO_TARGET_DIR),target)
GATEWAY := $(TARGET)/debug/chatkit-gateway
SCRIPTED := $(TARGET)/debug/examples/scripted
# What the tests are told, for the reference's types to read; the tests write only where there is such a folder.
HEARD   := $(TARGET)/tmp/transcripts
PYTHON  := tests/python/.venv/bin/python
ADDRESS := http://127.0.0.1:$(or $(PORT),8000)

.PHONY: help run test lint bench docs clean

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' Makefile

run: ## Build and serve, with the bundled book and no settings needed
	@command -v cargo >/dev/null || { echo "Rust is needed: https://rustup.rs"; exit 1; }
	@command -v cc >/dev/null || { echo "A C compiler is needed; on Debian and Ubuntu: apt-get install gcc libc6-dev"; exit 1; }
	@test -x $(GATEWAY) || echo "Building for the first time. This takes some minutes; later builds take seconds."
	@cargo build
	@printf 'Serving on %s; Ctrl-C stops. Ask from another terminal:\n\n' '$(ADDRESS)'
	@printf "  curl -N %s/chatkit -d '%s'\n\n" '$(ADDRESS)' '{"type":"threads.create","params":{"input":{"content":[{"type":"input_text","text":"What are the three terms of a PID controller?"}],"attachments":[],"inference_options":{}}}}'
	@printf 'or open %s/ in a browser. README.md goes on from here.\n\n' '$(ADDRESS)'
	@exec $(GATEWAY) serve

test: ## Install what the tests need and lack, and run all of them
	@tests/setup
	@rm -rf $(HEARD) && mkdir -p $(HEARD)
	cargo test --workspace
	@cargo build
	@cargo build --examples
	$(PYTHON) tests/python/transcripts.py $(HEARD)
	@rm -rf $(HEARD)
	$(PYTHON) tests/python/differential.py $(SCRIPTED)
	$(PYTHON) tests/python/oracle.py $(GATEWAY)
	$(PYTHON) tests/python/described.py $(GATEWAY) docs/openapi.json
	$(PYTHON) tests/python/fuzzed.py $(GATEWAY) docs/openapi.json
	$(PYTHON) tests/python/readme.py $(GATEWAY) README.md
	$(PYTHON) tests/python/protocol_doc.py $(TARGET)/debug docs/protocol.md docs/curl.md
	$(PYTHON) tests/browser/pages.py $(GATEWAY) docs/embedding.md
	$(PYTHON) tests/browser/playground.py $(GATEWAY)

lint: ## Check format, clippy, documentation and the crates that travel along; warnings of ours are errors
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps
	@tests/deny

bench: ## Measure the server against a bare relay, searching against looking through everything, and the look at a token; see benches
	cargo bench --bench load --profile release
	cargo bench --bench knowledge
	cargo bench --bench tokens

docs: ## Make docs/configuration.md, .env.example, docs/openapi.json and protocol/schema from the code
	@cargo build
	$(GATEWAY) config markdown > $(TARGET)/configuration.md && mv $(TARGET)/configuration.md docs/configuration.md
	$(GATEWAY) config example > $(TARGET)/env.example && mv $(TARGET)/env.example .env.example
	cargo run -q -p chatkit-protocol --example schema
	@cargo build
	$(GATEWAY) describe > $(TARGET)/openapi.json && mv $(TARGET)/openapi.json docs/openapi.json

clean: ## Remove what was built; the conversations stay where they are
	cargo clean
	rm -rf tests/python/.venv
