import { BloomeryError } from '@bloomery/ports';
import type { Controller, Input } from '../controller.ts';
import type { ResourceDefinition } from '../resource-definition.ts';

/** Of which resources a controller speaks. */
export interface Access {
  readonly definition: ResourceDefinition;
  readonly namespace: string;
  /** Undefined: all of them. */
  readonly id?: string;
}

/** Where an input stands. */
export const namespaceOf = ({ definition, namespace }: Input): string => namespace ?? definition.namespace;

/** @throws BloomeryError BLM_COSI_UNDECLARED unless it is among the inputs, or of a type that the controller writes. */
export function checkRead({ name, inputs, outputs }: Controller, access: Access): void {
  if (inputs.some((input) => covers(input, access))) return;
  if (outputs.some(({ definition }) => definition.type === access.definition.type)) return;
  throw undeclared(name, 'read', access);
}

/** @throws BloomeryError BLM_COSI_UNDECLARED unless it is among the strong inputs. */
export function checkHold({ name, inputs }: Controller, access: Access): void {
  if (inputs.some((input) => input.kind === 'strong' && covers(input, access))) return;
  throw undeclared(name, 'hold finalizers on', access);
}

/** @throws BloomeryError BLM_COSI_UNDECLARED unless its type is among the outputs. */
export function checkWrite({ name, outputs }: Controller, access: Access): void {
  if (outputs.some(({ definition }) => definition.type === access.definition.type)) return;
  throw undeclared(name, 'write', access);
}

function covers(input: Input, { definition, namespace, id }: Access): boolean {
  if (input.definition.type !== definition.type || namespaceOf(input) !== namespace) return false;
  return input.id === undefined || input.id === id;
}

function undeclared(controller: string, action: string, { definition, namespace, id = '*' }: Access): BloomeryError {
  const { type } = definition;
  return new BloomeryError(
    'BLM_COSI_UNDECLARED',
    `controller ${controller} may not ${action} ${type}(${namespace}/${id}): it is not declared`,
    { facts: { controller, type, namespace, id } },
  );
}
