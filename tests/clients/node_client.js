// What users of node-postgres do, as lines of text: run on PostgreSQL and here, compared by test_node_postgres.py.
// node node_client.js PORT DATABASE; modules are found by NODE_PATH.
'use strict'

const { Client, Pool, types } = require('pg')
const Cursor = require('pg-cursor')
const QueryStream = require('pg-query-stream')

const [port, database] = process.argv.slice(2)
const where = { host: '127.0.0.1', port: Number(port), user: 'admin', database }

const say = (...values) => console.log(values.map(shown).join(' | '))

function shown(value) {
  if (typeof value === 'string') return value
  if (value instanceof Date) return isNaN(value) ? 'no date' : value.toISOString()
  if (Buffer.isBuffer(value)) return 'bytes ' + value.toString('hex')
  return JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? one + 'n' : one))
}

// Everything of an error that does not tell the server's own source.
function fields(error) {
  if (!error.code) return String(error)
  const kept = ['severity', 'code', 'message', 'detail', 'hint', 'position', 'schema', 'table', 'column', 'dataType', 'constraint']
  return kept.filter((name) => error[name] !== undefined).map((name) => `${name}=${error[name]}`).join('; ')
}

async function attempt(client, ...question) {
  try {
    const answer = await client.query(...question)
    say('done', answer.command, answer.rowCount, answer.rows)
  } catch (error) {
    say('failed', fields(error))
  }
}

async function connecting() {
  const client = new Client({ ...where, application_name: 'node-client', statement_timeout: 60000, query_timeout: 60000 })
  const seen = []
  client.on('notice', (notice) => seen.push(notice.code + ' ' + notice.message))
  await client.connect()
  await attempt(client, "select current_setting('application_name') as name, current_setting('statement_timeout') as timeout")
  await attempt(client, 'drop table if exists no_such_table')
  say(seen)
  await attempt(client, 'select 1 as one; select 2 as two')
  await attempt(client, '')
  await attempt(client, '-- nothing')
  const many = await client.query("create table n (id int); insert into n values (1), (2); select id from n order by 1; drop table n")
  say(many.map((one) => [one.command, one.rowCount, one.rows]))
  await client.end()
  const nobody = new Client({ ...where, database: 'no_such_database' })
  await nobody.connect().then(() => say('connected?'), (error) => say('refused', error.code))
  const url = new Client({ connectionString: `postgres://admin@127.0.0.1:${port}/${database}?options=-c%20search_path%3Dpg_catalog` })
  await url.connect()
  await attempt(url, 'show search_path')
  await url.end()
}

const VALUES = [
  ['int2', -32768], ['int4', 2147483647], ['int8', '9223372036854775807'], ['int8', 9007199254740993n],
  ['numeric', '12345678901234567890.123456789'], ['numeric', 1.5], ['float4', 1.5], ['float8', 0.1], ['float8', NaN],
  ['float8', Infinity], ['text', 'ünï\n\\ "q"'], ['text', ''], ['varchar(3)', 'abc'], ['char(5)', 'ab'], ['bool', true],
  ['bool', false], ['bytea', Buffer.from([0, 1, 254, 255])], ['bytea', Buffer.alloc(0)],
  ['uuid', '00000000-0000-0000-0000-000000000007'], ['date', '2024-02-29'], ['date', new Date(Date.UTC(2020, 0, 2))],
  ['time', '23:59:59.999999'], ['timetz', '12:00:00+05:30'], ['timestamp', '2024-02-29 01:02:03.456'],
  ['timestamptz', new Date(Date.UTC(2024, 1, 29, 1, 2, 3, 456))], ['timestamptz', 'infinity'], ['timestamptz', '0044-03-15 12:00:00+00 BC'],
  ['interval', '1 year 2 mons -3 days 04:05:06.7'], ['interval', { days: 1, hours: 2, toPostgres: () => '1 day 02:00' }],
  ['json', { a: [1, null, { b: 'ü' }] }], ['json', JSON.stringify([1, 2])], ['jsonb', { b: 1, a: 'x' }], ['jsonb', 'null'], ['jsonb', 5],
  ['int4[]', [1, null, -3]], ['int4[]', [[1, 2], [3, 4]]], ['int4[]', []], ['text[]', ['a,b', null, 'NULL', '"q"', '', '\\']],
  ['float8[]', [0.5, null]], ['numeric[]', ['1.50', '2']], ['bool[]', [true, false, null]], ['int8[]', ['1', '9223372036854775807']],
  ['timestamptz[]', [new Date(0), null]], ['date[]', ['2000-01-01']], ['jsonb[]', [{ a: 1 }]], ['uuid[]', ['00000000-0000-0000-0000-000000000007']],
  ['bytea[]', [Buffer.from([255]), null]], ['oid', 4294967295], ['regtype', 'integer'], ['name', 'n'], ['mood', 'happy'], ['mood[]', ['sad', null]],
  ['int4', null], ['text', undefined], ['int4', 'x'], ['int4', 3000000000], ['int4', 1.5], ['jsonb', '{'], ['date', '2023-02-29'], ['mood', 'bored'],
]

async function values(client) {
  await client.query("create type mood as enum ('sad', 'happy')")
  for (const [type, value] of VALUES) {
    const text = `select $1::${type} as value, pg_typeof($1::${type})::text as type, $1::${type}::text as text`
    try {
      const answer = await client.query(text, [value])
      const field = answer.fields[0]
      say(type, answer.rows[0].value, answer.rows[0].type, answer.rows[0].text, field.format, field.dataTypeSize, field.dataTypeModifier)
    } catch (error) {
      say(type, value === undefined ? 'undefined' : value, fields(error))
    }
  }
  await attempt(client, { text: 'select 1 as a, $1::text as b', values: ['x'], rowMode: 'array' })
  await attempt(client, 'select $1 as untyped, $2 + 1 as number', ['x', 5])
  await attempt(client, 'select $1::int', ['1', '2'])
  await attempt(client, 'select $1::int + $2::int', ['1'])
  await attempt(client, 'select * from unnest($1::int[], $2::text[]) as t (n, s)', [[1, 2], ['a', null]])
  await attempt(client, 'select n from generate_series(1, 9) n where n = any ($1)', [[2, 4, 99]])
  await attempt(client, 'select 1 where $1 = \'x\' limit $2', ['x', 3])
  types.setTypeParser(20, BigInt)
  await attempt(client, 'select count(*) as n, max(n)::int8 * 4611686018427387904 as large from generate_series(0, 1) n')
  const own = { getTypeParser: (oid, format) => (text) => `${oid} ${format} ${text}` }
  await attempt(client, { text: "select 1 as a, 'x'::text as b, now() is null as c", types: own })
}

async function tables(client) {
  await client.query(`create table item (id bigint generated always as identity primary key, name varchar(9) not null,
    price numeric(10, 2) check (price >= 0), made timestamptz default '2024-01-01 00:00:00+00', about jsonb, tags text[], unique (name))`)
  await client.query('create table part (id int primary key, item bigint references item, amount int)')
  const insert = 'insert into item (name, price, about, tags) values ($1, $2, $3, $4) returning *'
  await attempt(client, insert, ['pen', 2.5, { ink: 'blue' }, ['a', 'b']])
  await attempt(client, insert, ['pen', 1, null, null])
  await attempt(client, insert, [null, 1, null, null])
  await attempt(client, insert, ['desk', -1, null, null])
  await attempt(client, insert, ['much too long', 1, null, null])
  await attempt(client, insert, ['lamp', '123456789.00', null, null])
  await attempt(client, 'insert into item (id, name) values ($1, $2)', [1, 'x'])
  await attempt(client, 'insert into part values ($1, $2, $3)', [1, 99, 1])
  await attempt(client, 'insert into part values ($1, $2, $3)', [1, 1, 5])
  await attempt(client, 'delete from item where id = $1', [1])
  await attempt(client, 'insert into item (name, price) values ($1, $2) on conflict (name) do update set price = excluded.price returning id, price', ['pen', 3])
  await attempt(client, 'update item set about = about || $1 where about @> $2 returning about', [{ new: true }, { ink: 'blue' }])
  await attempt(client, "select about->>'ink' as ink, tags[1] as first, $1 = any (tags) as has from item", ['a'])
  await attempt(client, 'select nosuch from item')
  await attempt(client, 'select * from nosuch where id = $1', [1])
  await attempt(client, 'selec 1')
  await attempt(client, 'select 1 / $1::int', [0])
  await attempt(client, 'update item set price = $1', ['not a number'])
  await attempt(client, 'delete from part')
  const answer = await client.query('select id, name, price, made, about, tags from item')
  say(answer.fields.map((f) => [f.name, f.columnID, f.dataTypeID, f.dataTypeSize, f.dataTypeModifier, f.format]))
}

async function prepared(client) {
  for (const n of [1, 2, 3]) await attempt(client, { name: 'by name', text: 'select $1::int * 2 as twice', values: [n] })
  await attempt(client, { name: 'by name', text: 'select 2', values: [] })
  await client.query('create table changing (a int)')
  const ask = { name: 'star', text: 'select * from changing' }
  await attempt(client, ask)
  await client.query('alter table changing add column b text')
  await attempt(client, ask)
  await attempt(client, { name: 'fails', text: 'select nosuch', values: [] })
  await attempt(client, { name: 'fails', text: 'select 1 as one', values: [] })
  await client.query('drop table changing')
}

const read = (cursor, count) => new Promise((done, fail) => cursor.read(count, (error, rows) => (error ? fail(error) : done(rows))))
const close = (cursor) => new Promise((done) => cursor.close(done))

async function cursors(client) {
  const cursor = client.query(new Cursor('select n from generate_series(1, $1::int) n', [10]))
  say(await read(cursor, 4))
  say(await read(cursor, 4))
  say(await read(cursor, 4))
  say(await read(cursor, 4))
  await close(cursor)
  const early = client.query(new Cursor('select n from generate_series(1, 100000) n'))
  say((await read(early, 2)).length)
  await close(early)
  // Rows are made some thousand at a time here: the failing row is far behind what was asked for first.
  const wrong = client.query(new Cursor('select 10 / (90000 - n) as x from generate_series(1, 90000) n'))
  say(await read(wrong, 2))
  await read(wrong, 90000).then(say, (error) => say('failed', fields(error)))
  await close(wrong)
  let sum = 0
  for await (const row of client.query(new QueryStream('select n from generate_series(1, 1000) n', [], { batchSize: 64 }))) sum += row.n
  say('streamed', sum)
  await attempt(client, 'begin')
  await attempt(client, 'declare c scroll cursor for select n from generate_series(1, 5) n')
  await attempt(client, 'fetch 2 from c')
  await attempt(client, 'fetch backward 1 from c')
  await attempt(client, 'commit')
}

async function transactions(client) {
  await client.query('create table account (id int primary key, balance int)')
  await client.query('insert into account values (1, 100), (2, 100)')
  await attempt(client, 'begin isolation level serializable')
  await attempt(client, 'select 1 / 0')
  await attempt(client, 'select 1')
  await attempt(client, 'rollback')
  await attempt(client, 'begin')
  await attempt(client, 'update account set balance = 0')
  await attempt(client, 'savepoint s')
  await attempt(client, 'insert into account values (1, 1)')
  await attempt(client, 'rollback to s')
  await attempt(client, 'rollback')
  await attempt(client, 'select sum(balance) from account')
  await attempt(client, 'rollback')
  await attempt(client, 'begin read only')
  await attempt(client, 'delete from account')
  await attempt(client, 'rollback')
  // Two write the same row, both under REPEATABLE READ: the second fails with 40001, when its update or its COMMIT comes.
  const pool = new Pool({ ...where, max: 3 })
  async function pay(amount, between) {
    for (let tries = 1; tries < 6; tries++) {
      const one = await pool.connect()
      try {
        await one.query('begin isolation level repeatable read')
        const { rows } = await one.query('select balance from account where id = 1')
        if (tries === 1) await between()
        await one.query('update account set balance = $1 where id = 1', [rows[0].balance + amount])
        await one.query('commit')
        return tries
      } catch (error) {
        await one.query('rollback')
        if (error.code !== '40001') throw error
      } finally {
        one.release()
      }
    }
    throw new Error('lost five times')
  }
  say('tries', await pay(5, () => pay(7, async () => {})))
  say((await pool.query('select balance from account order by id')).rows)
  await pool.end()
}

async function refused(client) {
  // LISTEN and NOTIFY are there on PostgreSQL only.
  await client.query('listen something').then(() => say('listening', 'yes'), (error) => say('listening', error.code))
  await client.query("notify something, 'x'").then(() => say('notifying', 'yes'), (error) => say('notifying', error.code))
  await attempt(client, "select 'x\u0000y'")
  await attempt(client, 'select $1::text', ['x\u0000y'])
  say((await client.query('select length($1) as n', ['x'.repeat(1000000)])).rows)
}

async function pooling() {
  const pool = new Pool({ ...where, max: 4, idleTimeoutMillis: 100 })
  const answers = await Promise.all([...Array(40).keys()].map((n) => pool.query('select $1::int + 1 as n', [n])))
  say(answers.map((one) => one.rows[0].n))
  say(pool.totalCount <= 4, pool.waitingCount)
  const failed = await Promise.allSettled([pool.query('select 1/0'), pool.query('select 1 as ok'), pool.query('nonsense')])
  say(failed.map((one) => (one.status === 'fulfilled' ? one.value.rows : one.reason.code)))
  const lost = await pool.connect()
  lost.on('error', () => {})
  const { pid } = (await lost.query('select pg_backend_pid() as pid')).rows[0]
  say(typeof pid, lost.processID === pid)
  // Cancelling: as libpq does, by a connection of its own with the secret key.
  const waiting = lost.query('select pg_sleep(60)').catch((error) => say('cancelled', fields(error)))
  const { Connection } = require('pg')
  const second = new Connection({})
  second.on('error', () => {})
  await new Promise((done) => {
    second.on('connect', () => second.cancel(lost.processID, lost.secretKey))
    second.on('end', done)
    second.connect(where.port, where.host)
  })
  await waiting
  say((await lost.query('select 1 as again')).rows)
  await attempt(lost, "set statement_timeout = '20ms'")
  await attempt(lost, 'select pg_sleep(60)')
  await attempt(lost, 'reset statement_timeout')
  lost.release(true)
  await pool.end()
}

async function main() {
  await connecting()
  const client = new Client(where)
  await client.connect()
  await client.query("set timezone to 'UTC'")
  for (const part of [values, tables, prepared, cursors, transactions, refused]) {
    say('--', part.name)
    await part(client)
  }
  await client.end()
  await pooling()
}

main().then(() => process.exit(0), (error) => { console.log('broke down', error); process.exit(1) })
