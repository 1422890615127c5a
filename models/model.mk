# The built-in speech model.
MODEL_VENV := .venv-model

.PHONY: model model-eval model-lock

model: ## train the built-in Mandarin model from nothing (under 40 min on 2 cores), then measure it
	@tools/setup.sh model
	@$(MAKE) --no-print-directory $(MODEL_VENV)/ready
	@OMP_WAIT_POLICY=passive PYTHONPATH=. $(MODEL_VENV)/bin/python -m models.recipe $(STEPS)
	@PYTHONPATH=. $(MODEL_VENV)/bin/python -m models.evaluation

model-eval: ## figures of the built-in Mandarin model, into models/builtin-zh-8k/figures.json
	@tools/setup.sh lint
	@$(RUN) models.evaluation $(MODEL)

# torch's wheels differ by platform, so its version is pinned here and the rest is locked with hashes.
$(MODEL_VENV)/ready: models/requirements.txt models/model.mk
	@python3 -m venv $(MODEL_VENV)
	@$(MODEL_VENV)/bin/pip install -q torch==2.13.0
	@$(MODEL_VENV)/bin/pip install -q --require-hashes -r models/requirements.txt
	@touch $@

model-lock: ## lock what the model's recipe needs, with hashes
	@$(VENV)/bin/uv pip compile -q --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url \
	  --no-emit-find-links --upgrade models/requirements.in -o models/requirements.txt
