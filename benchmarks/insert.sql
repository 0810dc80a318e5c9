-- pgbench: one row like a scan's ledger entry, each in a commit of its own.
-- The key is in time order, which is kind to its index; the sequence makes no insert wait.
\set volunteer random(1, 140000)
\set activity random(1, 200)
\set minutes random(1, 240)
insert into rival values (330424, nextval('rival_seq'), uuidv7(), 1, 1, 1, :volunteer + 1, :minutes, now(), now(), :volunteer, 1, 3, 330424, :activity, :activity, 2, 330424101001, null);
