# mqttops.emqx - `make help` lists the targets; each installs what it needs first.
SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS   += --no-print-directory

CACHE       := $(CURDIR)/.cache
VENV        := $(CACHE)/venv
COLLECTION  := $(CACHE)/collections/ansible_collections/mqttops/emqx
GALAXY_VENV := $(CACHE)/galaxy
SANITY_TREE := $(CACHE)/sanity/ansible_collections/mqttops/emqx
ALL         := $(patsubst molecule/%/molecule.yml,%,$(sort $(wildcard molecule/*/molecule.yml)))
# The longest first, so that none of them runs alone at the end.
LONG        := upgrade outage rolling interrupted scale default rotation backup tls faults doctor
SCENARIOS   ?= $(LONG) $(filter-out $(LONG),$(ALL))
LAB         ?= demo
HOSTS       ?= 3
# Scenarios at a time: nodes and hosts wait more than they work.
JOBS        ?= 3

export PATH                      := $(VENV)/bin:$(PATH)
export ANSIBLE_COLLECTIONS_PATH  := $(CACHE)/collections
export ANSIBLE_CONFIG            := $(CURDIR)/tests/ansible.cfg
export ANSIBLE_HOME              := $(CACHE)/ansible
export PYTHONDONTWRITEBYTECODE   := 1

.PHONY: help
help:  ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# --- set-up ---------------------------------------------------------------------------------

.PHONY: setup
setup: system $(VENV)/.ready $(COLLECTION)  ## Install system packages (root), tools and collections

.PHONY: system
system:
	@python3 tests/lab/lab.py setup

$(VENV)/.ready: tests/requirements.txt | system
	@test -x $(VENV)/bin/python || python3 -m venv $(VENV)
	@$(VENV)/bin/pip install --quiet --requirement tests/requirements.txt
	@touch $@

# Of its own: what the importer depends on clashes with the other tools.
$(GALAXY_VENV)/.ready: tests/requirements-galaxy.txt | system
	@test -x $(GALAXY_VENV)/bin/python || python3 -m venv $(GALAXY_VENV)
	@$(GALAXY_VENV)/bin/pip install --quiet --requirement tests/requirements-galaxy.txt
	@touch $@

$(COLLECTION):
	@mkdir -p $(@D) && ln -sfn ../../../.. $@

# --- the lab --------------------------------------------------------------------------------

.PHONY: lab-up
lab-up: setup  ## Start HOSTS=3 lab hosts named n1..nN (LAB=demo)
	@python3 tests/lab/lab.py up --name $(LAB) --hosts $(HOSTS)

.PHONY: lab-down
lab-down:  ## Remove the hosts of LAB and all that belongs to them
	@python3 tests/lab/lab.py down --name $(LAB)

.PHONY: packages
packages: VERSIONS ?= 5.8.8 5.8.9 5.10.4
packages: setup
	@for version in $(VERSIONS); do tests/standin/build.sh $(CACHE)/packages "$$version"; done

.PHONY: host-image
host-image: setup
	@python3 tests/lab/lab.py image

.PHONY: standin-image
standin-image: packages
	@python3 tests/standin/image/build.py $(CACHE)/packages

.PHONY: demo
demo: setup packages  ## Three hosts, site.yml, and the cluster's status (EMQX_PACKAGE=FILE|URL for a vendor package)
	@tests/demo.sh

.PHONY: bench
bench: setup packages  ## Print the measured ratios of docs/performance.md
	@python3 tests/bench/bench.py

# --- checks ---------------------------------------------------------------------------------

.PHONY: test
test: setup  ## Lint, units, sanity, import by Galaxy, stand-in, network, all molecule scenarios
	@$(RECAP) $(MAKE) checks

# In two pools: a scenario that waits for its package or image loses its place in the order.
.PHONY: checks
checks:
	@code=0; \
	$(POOL) host-image packages lint unit || code=$$?; \
	$(POOL) standin-test $(SCENARIOS:%=scenario-%) network-test sanity galaxy || code=$$?; \
	exit $$code

.PHONY: lint
lint: setup  ## ruff, mypy, shellcheck, ansible-lint (production), docs, changelog
	@ruff check . && ruff format --check .
	@mypy plugins tests/lab tests/bench tests/network tests/payload.py tests/standin/tests tests/standin/image tests/unit/*.py tests/unit/plugins tests/unit/shipped
	@cd tests/support && MYPYPATH=$(CACHE)/collections mypy --config-file ../../pyproject.toml .
	@shellcheck .ci/run $$(git ls-files '*.sh')
	@python tests/lint/defaults_match_specs.py
	@cd $(COLLECTION) && antsibull-docs lint-collection-docs --plugin-docs --skip-rstcheck .
	@antsibull-changelog lint
	@ansible-lint -c .config/ansible-lint.yml

.PHONY: unit
unit: setup  ## Unit tests
	@python -m pytest tests/unit

.PHONY: payload
payload: setup  ## Print the lines and bytes that each module ships to a host
	@python tests/payload.py

.PHONY: sanity
sanity: setup  ## ansible-test sanity, no ignore files
	@tests/sanity.sh $(SANITY_TREE)

.PHONY: standin-test
standin-test: setup packages  ## The stand-in node against the recorded transcripts
	@python -m pytest tests/standin/tests

.PHONY: network-test
network-test: setup  ## cluster_probe between 23 hosts in network namespaces
	@python -m pytest tests/network

.PHONY: molecule
molecule: setup  ## Molecule scenarios (SCENARIOS="default tarball", JOBS=3 at a time)
	@$(RECAP) $(POOL) $(SCENARIOS:%=scenario-%)

# The output of each is shown when it ends; one that fails does not keep the others from running.
POOL = $(MAKE) --jobs=$(JOBS) --output-sync=target --keep-going
RECAP = +@python3 tests/support/recap.py

scenario-%: packages host-image
	@tests/molecule.sh $*

scenario-containers: standin-image

.PHONY: cores
cores: setup packages host-image build  ## The archive on each ansible-core that it promises, in the lab (CORES="2.21 devel")
	@python tests/support/cores.py $(ARCHIVE) $(CORES)

# --- what is shipped ------------------------------------------------------------------------

ARCHIVE = $(CACHE)/build/mqttops-emqx-$(shell sed -n 's/^version: //p' galaxy.yml).tar.gz

.PHONY: build
build: setup  ## Build the collection archive
	@tests/tree.sh $(CACHE)/build/tree
	@cd $(CACHE)/build/tree && ansible-galaxy collection build --force --output-path $(CACHE)/build

.PHONY: galaxy
galaxy: build $(GALAXY_VENV)/.ready  ## Import the archive as Ansible Galaxy does, offline
	@tests/galaxy.sh $(ARCHIVE) $(GALAXY_VENV)

.PHONY: readme
readme: setup  ## Write what README.md and docs/ have from the tree: tables, findings, variables
	@python tests/support/readme_tables.py --write
	@PYTHONPATH=$(CACHE)/collections python tests/support/upgrade_tables.py --write
	@python tests/support/findings_page.py --write
	@python tests/support/variables_page.py --write

.PHONY: changelog
changelog: setup  ## Write CHANGELOG.md as it would be with a release now; fragments stay
	@tests/changelog.sh $(CACHE)/changelog

.PHONY: clean
clean:  ## Remove labs and everything cached
	@! test -d $(CACHE)/lab || python3 tests/lab/lab.py down --all
	@rm -rf $(CACHE)
