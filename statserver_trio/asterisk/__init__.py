"""Asterisk as a source: AMI and queue_log, told as T-events.

Nothing above this floor notices that the switch is no T-Server: a queue is a DN
of type Queue, a member is a DN of type Extension, and membership is the login.
The way in is :class:`.ami.AmiParser` and :class:`.ami_translator.AmiTranslator`
for a live stream, :class:`.queue_log.QueueLogTranslator` for the log, and
:mod:`.replay` for files.

Everything here is synchronous and reads no clock: time comes with the input.
"""
