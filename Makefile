# make demo   a fresh virtual environment, the project from these files, and the story of README.md
# make test   the same with the test tools, and every test
# Both take what is there already when nothing changed. README.md has the plain pip lines under each.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
DISTRIBUTIONS := ./proto ./sdk ./plugins/gates ./firmware_sim
SOURCES := $(shell find proto sdk plugins firmware_sim -type f \
	-not -path '*/__pycache__/*' -not -path '*/.*' -not -path '*.egg-info/*')

# Pins hold in the build environments as well: by the first name up to pip 25, by the second after it.
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_BUILD_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test benchmarks lint clean

demo: $(VENV)/models.stamp
	$(BIN)/python examples/demo/demo.py

test: $(VENV)/models.stamp $(VENV)/dev.stamp
	$(BIN)/python -m pytest -n auto --dist loadfile

benchmarks: $(VENV)/models.stamp $(VENV)/dev.stamp
	$(BIN)/python benchmarks/run.py

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .

clean:
	rm -rf $(VENV)

$(VENV)/venv.stamp:
	@test -n "$(PYTHON)" || { echo "No python3 found. Faceward needs Python 3.11 or later: make PYTHON=/path/to/python3.11"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Faceward needs Python 3.11 or later, and $(PYTHON) is $$("$(PYTHON)" -V). Try: make PYTHON=/path/to/python3.11"; exit 1; }
	"$(PYTHON)" -m venv $(VENV)
	@touch $@

$(VENV)/install.stamp: $(VENV)/venv.stamp constraints.txt $(SOURCES)
	$(BIN)/pip install --quiet -c constraints.txt $(DISTRIBUTIONS)
	@touch $@

$(VENV)/models.stamp: $(VENV)/install.stamp
	$(BIN)/faceward models install
	@touch $@

$(VENV)/dev.stamp: $(VENV)/venv.stamp constraints.txt requirements-dev.txt
	$(BIN)/pip install --quiet -c constraints.txt -r requirements-dev.txt
	@touch $@
