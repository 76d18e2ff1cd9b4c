"""Extensions at work: loaded, supervised, unloaded, and kept from hurting anybody else."""
