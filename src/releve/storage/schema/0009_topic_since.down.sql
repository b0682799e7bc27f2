ALTER TABLE topic_value DROP COLUMN since;
