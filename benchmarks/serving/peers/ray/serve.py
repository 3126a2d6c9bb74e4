"""Ray Serve: as many replicas as CPUs, each with one thread of ONNX Runtime; batches; its settings for throughput.

Its documentation ("Performance Tuning"): @serve.batch, async methods, max_ongoing_requests of 1000,
RAY_SERVE_THROUGHPUT_OPTIMIZED=1 (one event loop a replica, buffered logs) and RAY_SERVE_ENABLE_HA_PROXY=1 (HAProxy instead of the
proxy in Python). No dashboard, no access log.
"""

from __future__ import annotations

import os
import signal

from detector import settings, settings_in_environment

if __name__ == "__main__":
    asked = settings()
    os.environ |= {
        **settings_in_environment(asked),
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
        "RAY_SERVE_ENABLE_HA_PROXY": os.environ.get("RAY_SERVE_ENABLE_HA_PROXY", "1"),
        "RAY_SERVE_HAPROXY_NBTHREAD": str(asked.cpus),
        # Its processes start slowly where they share a CPU; it would give its proxy up after seconds.
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",
        "RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S": "60",
        # Beside nothing else on its CPUs, a replica needs no lower priority than Ray's own daemons.
        "RAY_worker_niceness": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    # Only now: Ray reads these when it is imported.
    import ray
    from ray import serve
    from ray.serve.schema import LoggingConfig
    from serve_app import app

    ray.init(num_cpus=asked.cpus, include_dashboard=False, log_to_driver=False, logging_level="warning", _temp_dir=os.getcwd())
    quiet = LoggingConfig(enable_access_log=False, log_level="WARNING")
    serve.start(http_options={"host": "127.0.0.1", "port": asked.port}, logging_config=quiet)
    serve.run(app, logging_config=quiet)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    serve.shutdown()
    ray.shutdown()
