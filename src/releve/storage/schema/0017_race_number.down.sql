DROP TRIGGER releve_race_number ON runs_run;
DROP FUNCTION releve_race_number();
DROP INDEX runs_run_race_part;
