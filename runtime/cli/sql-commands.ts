/** `patina query` and `patina exec`: SQL through a node's API. */
import { valueText } from "../api/value-text.ts";
import type { Sql } from "../client/client.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { type NodeFlags, withNode } from "./find-node.ts";
import { parameterOf } from "./parameters.ts";
import { type RowFormat, rowWriter } from "./row-format.ts";
import type { Terminal } from "./terminal.ts";

export interface QueryFlags extends NodeFlags {
  readonly columns?: true;
  readonly format: RowFormat;
  readonly timeout?: number;
  readonly json?: true;
}

export interface ExecFlags extends NodeFlags {
  readonly timeout?: number;
  readonly wait?: number | "all";
  readonly waitTimeout?: number;
  readonly json?: true;
}

/** @throws CliError */
export async function queryCommand(
  sql: string,
  parameters: readonly string[],
  flags: QueryFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const { timeout, json, format, columns: header } = flags;
  return await withNode(flags, async (client) => {
    const answer = await client.query(statement(sql, parameters), timeoutOption(timeout));
    const { columns } = answer;
    if (json === true) {
      const rows: string[] = [];
      for await (const row of answer) rows.push(`[${row.map(valueText).join(",")}]`);
      terminal.print(
        `{"columns":${JSON.stringify(columns)},"rows":[${rows.join(",")}],"time":${answer.seconds}}`,
      );
      return exitCodes.ok;
    }
    const writer = rowWriter(format, columns, header === true, terminal);
    for await (const row of answer) writer.row(row);
    writer.end();
    return exitCodes.ok;
  });
}

/** @throws CliError */
export async function execCommand(
  sql: string,
  parameters: readonly string[],
  flags: ExecFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const { timeout, wait, waitTimeout, json } = flags;
  return await withNode(flags, async (client) => {
    const answer = await client.transact([statement(sql, parameters)], {
      ...timeoutOption(timeout),
      ...(wait === undefined ? {} : { wait }),
      ...(waitTimeout === undefined ? {} : { waitTimeout }),
    });
    const { peers, results, version } = answer;
    if (json === true) terminal.print(JSON.stringify(answer));
    else {
      const rows = results.reduce((sum, result) => sum + result.rows_affected, 0);
      const of = version === null ? "nothing to replicate" : `version ${version}`;
      const seen = peers === undefined ? "" : `, on ${peers.applied} of ${peers.wanted} peers`;
      terminal.print(`${rows} ${rows === 1 ? "row" : "rows"} affected, ${of}${seen}`);
    }
    return peers !== undefined && peers.applied < peers.wanted ? exitCodes.timeout : exitCodes.ok;
  });
}

function statement(sql: string, parameters: readonly string[]): Sql {
  return parameters.length === 0 ? sql : [sql, parameters.map(parameterOf)];
}

function timeoutOption(timeout: number | undefined): { readonly timeout?: number } {
  return timeout === undefined ? {} : { timeout };
}
