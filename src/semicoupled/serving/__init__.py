"""The local web app: people use it and see it, programs talk to it as JSON and WebSocket.

browser, client.py                 HTTP and WebSocket
  security.py                      host, origin, token, headers, sizes of bodies
  app.py, api_*.py, static/        one file a subject; api_TASK.py is a task's own page
  roots.py, uploads.py             which files, and that no name becomes a path
  jobs.py                          the queue: one job at a time, with cancel and time-out
worker.py, *_job.py                one process that decodes files and runs networks, and can be killed
"""
