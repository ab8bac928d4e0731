export * from './grpc-client.ts';
export { createGrpcHandler, type GrpcHandler, type GrpcHandlerDeps } from './grpc-handler.ts';
export {
  type CallContext,
  type CertifiedPeer,
  type GrpcMessageMethod,
  type GrpcMethod,
  type GrpcRawMethod,
  type GrpcService,
  grpcService,
  grpcServicePart,
  type Metadata,
  type MethodImpl,
  methodPath,
  type RawCall,
  type ServiceImpl,
} from './grpc-service.ts';
export * from './status.ts';
