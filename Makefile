# `make run` and `make test` are the two a newcomer needs. Only Python 3.11+ and make must be there.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test check setup theme translations providers lint bench chaos lock clean

PYTHON ?= python3
BIN := .venv/bin
FLASK := $(BIN)/flask
PORT ?= 8000
INSTANCE := $(or $(INSTANCE_DIR),instance)
READY := .venv/ready

help: ## List what can be made.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

setup: $(READY) ## Only the environment: .venv from the lock file, translations compiled, the pages' look built.
	@$(BIN)/python app/web/frontend/build.py

theme: $(READY) ## Build the pages' look anew, after a change of colours or packages.
	@$(BIN)/python app/web/frontend/build.py --force

$(READY): requirements.lock $(wildcard app/translations/*/LC_MESSAGES/*.po)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; PYTHON=/path/to/python3.11 make … chooses one."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Setting up .venv from requirements.lock …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pybabel --quiet compile -d app/translations
	@touch $(READY)

translations: $(READY) ## Bring the catalogues up to date with the texts, and name what is left to translate.
	@mkdir -p .cache
	@$(BIN)/pybabel --quiet extract -F pyproject.toml -k lazy_gettext -k lazy_ngettext:1,2 --no-location --sort-output \
		-o .cache/messages.pot .
	@for language in nn en; do $(BIN)/pybabel --quiet update -i .cache/messages.pot -d app/translations -l $$language \
		--no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --width=110; done
	@$(BIN)/python -m pytest -q -p no:cacheprovider --no-header tests/test_translations.py

# Links in mails, and the log-in's way back, lead to where the site is served.
run: export BASE_URL ?= http://127.0.0.1:$(PORT)
run: setup ## Make the demo municipality, route and send its invoices, start the site.
	@$(FLASK) db upgrade
	@$(FLASK) demo
	@$(FLASK) invoices run --no-brakes || test $$? -eq 1
	@$(FLASK) invoices report
	@printf '\n  %s\n' \
		"The site:                http://127.0.0.1:$(PORT)  (stop it with Ctrl-C)" \
		"The municipality's side: http://127.0.0.1:$(PORT)/ansatt" \
		"Is it ready?             http://127.0.0.1:$(PORT)/helse/klar" \
		"Claim files for the bank, e-mails, letters:  $(INSTANCE)/outbox/" \
		"What the stand-ins took:                     $(INSTANCE)/sandbox/received.jsonl" \
		"Why an invoice went as it did:               $(FLASK) invoices explain NUMBER" ""
	@$(BIN)/granian --interface wsgi --workers 1 --blocking-threads 1 --no-access-log \
		--host 127.0.0.1 --port $(PORT) wsgi:app

test: setup ## Run the whole test suite.
	@$(BIN)/python -m pytest -n auto -q

lint: setup ## Style, types and the directions of imports.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

check: lint ## Everything that must be green: lint, then the tests.
	@$(BIN)/python -m pytest -n auto -q

providers: setup ## Write docs/providers.md anew from the rule tables and from running every channel in every situation.
	@$(BIN)/python -m tests.providers.page 2>&1 | { grep -v '^{' || true; }

bench: setup ## Measure ourselves against limits in the same run; writes bench/latest.json.
	@$(BIN)/python -m bench

chaos: setup ## Kill the sending process and the stand-ins again and again, and count what left.
	@$(BIN)/python -m bench.chaos $(CHAOS)

lock: setup ## Write requirements.lock anew from pyproject.toml.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip compile pyproject.toml --group dev --universal --generate-hashes \
		--no-emit-index-url --no-annotate --no-header --quiet -o requirements.lock

clean: ## Remove the environment and everything the demo made.
	rm -rf .venv instance .cache static/vendor
