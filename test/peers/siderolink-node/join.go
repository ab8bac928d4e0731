package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/google/uuid"
	pb "github.com/siderolabs/siderolink/api/siderolink"
	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// joining is all that a node says of itself when it asks for its address.
type joining struct {
	api          string
	caFile       string
	serverName   string
	uuid         string
	token        string
	uniqueToken  string
	talosVersion string
	tunnel       bool
	key          string
}

func (j *joining) flags(set *flag.FlagSet) {
	set.StringVar(&j.api, "api", "", "siderolink.api as Talos takes it: host:port, grpc://…, https://…?jointoken=…&grpc_tunnel=true")
	set.StringVar(&j.caFile, "ca", "", "PEM file of the authority for https")
	set.StringVar(&j.serverName, "server-name", "", "name in the certificate; empty: that of -api")
	set.StringVar(&j.uuid, "uuid", uuid.NewString(), "node_uuid")
	set.StringVar(&j.token, "token", "", "join_token; replaces that of -api")
	set.StringVar(&j.uniqueToken, "unique-token", "", "node_unique_token")
	set.StringVar(&j.talosVersion, "talos-version", "v1.13.0", "talos_version; empty: not sent")
	set.BoolVar(&j.tunnel, "tunnel", false, "wireguard_over_grpc")
	set.StringVar(&j.key, "key", "", "private key (base64); empty: a new one.")
}

// dial opens the connection that -api names, and takes over what its query says.
func (j *joining) dial() (*grpc.ClientConn, error) {
	text := j.api
	if !strings.Contains(text, "://") {
		text = "grpc://" + text
	}

	at, err := url.Parse(text)
	if err != nil {
		return nil, err
	}

	if j.token == "" {
		j.token = at.Query().Get("jointoken")
	}

	if tunnel := at.Query().Get("grpc_tunnel"); tunnel == "true" || tunnel == "y" {
		j.tunnel = true
	}

	creds := insecure.NewCredentials()

	if at.Scheme != "grpc" {
		conf := &tls.Config{ServerName: j.serverName}

		if j.caFile != "" {
			pem, err := os.ReadFile(j.caFile)
			if err != nil {
				return nil, err
			}

			conf.RootCAs = x509.NewCertPool()
			conf.RootCAs.AppendCertsFromPEM(pem)
		}

		creds = credentials.NewTLS(conf)
	}

	host := at.Host
	if at.Port() == "" && at.Scheme == "https" {
		host += ":443"
	}

	return grpc.NewClient("passthrough:///"+host, grpc.WithTransportCredentials(creds), grpc.WithSharedWriteBuffer(true))
}

func (j *joining) privateKey() (wgtypes.Key, error) {
	if j.key == "" {
		return wgtypes.GeneratePrivateKey()
	}

	return wgtypes.ParseKey(j.key)
}

func (j *joining) request(publicKey string) *pb.ProvisionRequest {
	// Talos always sends its unique token, also an empty one.
	request := &pb.ProvisionRequest{NodeUuid: j.uuid, NodePublicKey: publicKey, NodeUniqueToken: &j.uniqueToken}

	if j.token != "" {
		request.JoinToken = &j.token
	}

	if j.talosVersion != "" {
		request.TalosVersion = &j.talosVersion
	}

	if j.tunnel {
		request.WireguardOverGrpc = &j.tunnel
	}

	return request
}

// provision asks for an address once.
func (j *joining) provision(ctx context.Context, conn *grpc.ClientConn, key wgtypes.Key) (*pb.ProvisionResponse, error) {
	response, err := pb.NewProvisionServiceClient(conn).Provision(ctx, j.request(key.PublicKey().String()))
	if err != nil {
		return nil, err
	}

	if len(response.GetEndpoints()) == 0 {
		return nil, fmt.Errorf("the answer has no endpoint")
	}

	return response, nil
}
