DROP TABLE run_block_channel;
DROP TABLE run_block;
DROP INDEX reading_received;
ALTER TABLE runs_run DROP CONSTRAINT runs_run_never_overlap;
